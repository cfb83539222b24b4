/**
 * Choosing a feature by its name, for those who come from the command palette.
 */
import { InputDialog } from '@jupyterlab/apputils';
import { TranslationBundle } from '@jupyterlab/translation';

import { api, ask } from '../../api/client';
import { IFeature } from '../../api/types';
import { Workbench } from '../../workbench';

/** As many as a list to choose from can hold: one page. */
const MOST_FEATURES = 500;

/** Let the user choose one of the project's features; null if they choose none. */
export async function pickFeature(
  workbench: Workbench,
  trans: TranslationBundle
): Promise<IFeature | null> {
  const { items: features, next } = await ask(
    api.GET('/features', {
      params: { query: { path: workbench.path, limit: MOST_FEATURES } }
    })
  );
  if (!features.length) {
    throw new Error(trans.__('This project has no features yet.'));
  }
  if (next !== null) {
    throw new Error(
      trans.__('There are more features than can be listed: search the panel Features.')
    );
  }
  const { value } = await InputDialog.getItem({
    title: trans.__('Insert a feature'),
    label: trans.__('Feature'),
    items: features.map(feature => feature.name),
    okLabel: trans.__('Insert')
  });
  return features.find(feature => feature.name === value) ?? null;
}
