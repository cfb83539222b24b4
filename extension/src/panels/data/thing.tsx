/**
 * One thing of the catalogue, at a glance.
 */
import { TranslationBundle } from '@jupyterlab/translation';
import {
  addIcon,
  caretDownEmptyIcon,
  caretRightIcon,
  checkIcon,
  circleEmptyIcon,
  closeIcon,
  tableRowsIcon
} from '@jupyterlab/ui-components';
import React from 'react';

import { ICatalogueRow } from '../../api/types';
import { useFilter } from '../../ui/filter';
import { Ago } from '../../ui/parts';
import { Detail } from './detail';
import { kindName } from './kinds';
import { CatalogueSearch, keyOf } from './search';

/** What can be done with a thing. */
export interface IThingActions {
  readonly insert: (code: string) => void;
  readonly openReport: (source: string) => void;
}

export function Thing(
  props: IThingActions & {
    readonly thing: ICatalogueRow;
    readonly search: CatalogueSearch;
    readonly trans: TranslationBundle;
  }
): JSX.Element {
  const { thing, search, insert, openReport, trans } = props;
  const { thing: opened } = useFilter(search.opened);
  const isOpen = opened !== null && keyOf(opened) === keyOf(thing);
  const Caret = isOpen ? caretDownEmptyIcon : caretRightIcon;
  const id = `jp-Workbench-thing-${keyOf(thing)}`;
  return (
    <article className="jp-Workbench-thing" data-open={isOpen}>
      <div className="jp-Workbench-line">
        <button
          className="jp-Workbench-thingName"
          aria-expanded={isOpen}
          aria-controls={id}
          onClick={() => search.opened.set({ thing: isOpen ? null : thing })}
        >
          <Caret.react tag="span" className="jp-Workbench-icon" />
          <span>{thing.name}</span>
        </button>
        {search.filter.value.kind === '' && (
          <span className="jp-Workbench-kind">{kindName(thing.kind, trans)}</span>
        )}
        <Contract outcome={thing.contract} trans={trans} />
        {thing.updated_at && <Ago time={thing.updated_at} />}
      </div>
      {thing.description && (
        <div className="jp-Workbench-thingSaid">{thing.description}</div>
      )}
      <div className="jp-Workbench-thingFoot">
        <Facts thing={thing} trans={trans} />
        {thing.kind === 'source' && (
          <button
            className="jp-Workbench-button"
            aria-label={trans.__('Report of %1', thing.name)}
            title={trans.__('Read it, and describe its columns')}
            onClick={() => openReport(thing.name)}
          >
            <tableRowsIcon.react tag="span" className="jp-Workbench-icon" />
            {trans.__('Report')}
          </button>
        )}
        {thing.code && (
          <button
            className="jp-Workbench-button"
            aria-label={trans.__(
              'Insert %1 %2',
              kindName(thing.kind, trans),
              thing.name
            )}
            title={thing.code}
            onClick={() => insert(thing.code)}
          >
            <addIcon.react tag="span" className="jp-Workbench-icon" />
            {trans.__('Insert')}
          </button>
        )}
      </div>
      <div id={id}>
        {isOpen && <Detail thing={thing} search={search} trans={trans} />}
      </div>
    </article>
  );
}

function Facts(props: {
  readonly thing: ICatalogueRow;
  readonly trans: TranslationBundle;
}): JSX.Element {
  const { thing, trans } = props;
  const { rows, columns, uses, tags } = thing;
  return (
    <span className="jp-Workbench-facts">
      {rows !== null && (
        <span>{trans._n('1 row', '%1 rows', rows, rows.toLocaleString())}</span>
      )}
      {columns.length > 0 && (
        <span>
          {trans._n('1 column', '%1 columns', columns.length, columns.length)}
        </span>
      )}
      {uses > 0 && <span>{trans.__('used %1×', uses)}</span>}
      {tags.map(tag => (
        <span key={tag}>#{tag}</span>
      ))}
    </span>
  );
}

function Contract(props: {
  readonly outcome: ICatalogueRow['contract'];
  readonly trans: TranslationBundle;
}): JSX.Element | null {
  const { outcome, trans } = props;
  if (outcome === null) {
    return null;
  }
  const Icon = { passed: checkIcon, failed: closeIcon, unchecked: circleEmptyIcon }[
    outcome
  ];
  const said = {
    passed: trans.__('contract kept'),
    failed: trans.__('contract broken'),
    unchecked: trans.__('contract not asked yet')
  }[outcome];
  return (
    <span className="jp-Workbench-contract" data-outcome={outcome}>
      <Icon.react tag="span" className="jp-Workbench-icon" />
      {said}
    </span>
  );
}
