/**
 * Making the model of a run a version.
 */
import { InputDialog } from '@jupyterlab/apputils';

import { api, ask } from '../../api/client';
import { IContext } from '../../plugin';
import { followTask } from './follow';

/** Of how many models the names are offered. */
const OFFERED = 100;

/** Ask which model a run makes a version of, and have it registered. */
export async function registerRun(context: IContext, run: string): Promise<void> {
  const { workbench, trans } = context;
  const { path } = workbench;
  const query = { path, limit: OFFERED };
  const { items } = await ask(api.GET('/models', { params: { query } }));
  const names = items.map(model => model.name);
  const named = await InputDialog.getItem({
    title: trans.__('Register as a Version'),
    label: trans.__('Model: one that there is, or a new name'),
    items: names,
    editable: true,
    okLabel: trans.__('Register')
  });
  const name = named.button.accept ? named.value?.trim() : '';
  if (!name) {
    return;
  }
  const owner = names.includes(name) ? '' : await ownerOf(context, name);
  if (owner === null) {
    return;
  }
  const params = { path: { name }, query: { path } };
  const task = await ask(
    api.POST('/models/{name}/versions', { params, body: { run, owner } })
  );
  followTask(context, task, trans.__('New version of %1', name));
}

/** Ask who answers for a new model; null if it was called off. */
async function ownerOf({ trans }: IContext, name: string): Promise<string | null> {
  const { button, value } = await InputDialog.getText({
    title: trans.__('%1 is new', name),
    label: trans.__('Owner: who answers for it, a person or a team'),
    required: true,
    okLabel: trans.__('Register')
  });
  return button.accept ? (value ?? '').trim() : null;
}
