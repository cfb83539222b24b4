/**
 * The kinds of things there are, as buttons of which one is pressed.
 */
import { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { useResource } from '../../api/resource';
import { useFilter } from '../../ui/filter';
import { CatalogueSearch, Kind, KINDS } from './search';

export function Kinds(props: {
  readonly search: CatalogueSearch;
  readonly trans: TranslationBundle;
}): JSX.Element {
  const { search, trans } = props;
  const { kind: chosen } = useFilter(search.filter);
  const state = useResource(search.counts);
  const counts = state.kind === 'error' ? undefined : state.value;
  const countOf = (kind: Kind | ''): number | undefined =>
    counts
      ?.filter(one => kind === '' || one.kind === kind)
      .reduce((sum, one) => sum + one.count, 0);
  return (
    <div className="jp-Workbench-kinds" role="group" aria-label={trans.__('Kind')}>
      {([...KINDS, ''] as const).map(kind => (
        <button
          key={kind}
          className="jp-Workbench-kindButton"
          aria-pressed={kind === chosen}
          onClick={() => search.filter.set({ kind })}
        >
          {kind === '' ? trans.__('All') : kindsName(kind, trans)}
          <span className="jp-Workbench-facetCount">
            {countOf(kind)?.toLocaleString()}
          </span>
        </button>
      ))}
    </div>
  );
}

/** What one thing of a kind is called. */
export function kindName(kind: Kind, trans: TranslationBundle): string {
  return {
    source: trans.__('source'),
    dataset: trans.__('dataset'),
    view: trans.__('view'),
    function: trans.__('function'),
    feature: trans.__('feature'),
    model: trans.__('model')
  }[kind];
}

/** What several things of a kind are called. */
export function kindsName(kind: Kind, trans: TranslationBundle): string {
  return {
    source: trans.__('Sources'),
    dataset: trans.__('Datasets'),
    view: trans.__('Views'),
    function: trans.__('Functions'),
    feature: trans.__('Features'),
    model: trans.__('Models')
  }[kind];
}
