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
import { BriefButton } from '../../ui/item';
import { useFilter } from '../../ui/filter';
import { Ago } from '../../ui/parts';
import { Detail, IThingActions } from './detail';
import { kindName } from './kinds';
import { CatalogueSearch, keyOf } from './search';

interface IThingProps extends IThingActions {
  readonly thing: ICatalogueRow;
  readonly search: CatalogueSearch;
  readonly trans: TranslationBundle;
}

export function Thing(props: IThingProps): JSX.Element {
  const { thing, search } = props;
  const { thing: opened } = useFilter(search.opened);
  const isOpen = opened !== null && keyOf(opened) === keyOf(thing);
  const Caret = isOpen ? caretDownEmptyIcon : caretRightIcon;
  const id = `jp-Workbench-thing-${keyOf(thing)}`;
  return (
    <article className="jp-Workbench-item" data-open={isOpen}>
      <div className="jp-Workbench-itemHead">
        <button
          className="jp-Workbench-thingName"
          aria-expanded={isOpen}
          aria-controls={id}
          onClick={() => search.opened.set({ thing: isOpen ? null : thing })}
        >
          <Caret.react tag="span" className="jp-Workbench-icon" />
          <span>{thing.name}</span>
        </button>
        <Actions {...props} />
      </div>
      {thing.description && (
        <div className="jp-Workbench-itemSaid">{thing.description}</div>
      )}
      <div className="jp-Workbench-itemFoot">
        <Facts {...props} />
      </div>
      <div id={id}>{isOpen && <Detail {...props} />}</div>
    </article>
  );
}

function Actions({ thing, insert, openReport, trans }: IThingProps): JSX.Element {
  return (
    <>
      {thing.kind === 'source' && (
        <BriefButton
          icon={tableRowsIcon}
          word={trans.__('Report')}
          label={trans.__('Report of %1', thing.name)}
          title={trans.__('Read it, and describe its columns')}
          onClick={() => openReport(thing.name)}
        />
      )}
      {thing.code && (
        <BriefButton
          icon={addIcon}
          word={trans.__('Insert')}
          label={trans.__('Insert %1 %2', kindName(thing.kind, trans), thing.name)}
          title={thing.code}
          onClick={() => insert(thing.code)}
        />
      )}
    </>
  );
}

function Facts({ thing, search, trans }: IThingProps): JSX.Element {
  const { kind, contract, rows, columns, uses, tags, updated_at } = thing;
  const isAmongOthers = search.filter.value.kind === '';
  return (
    <span className="jp-Workbench-facts">
      {isAmongOthers && <span>{kindName(kind, trans)}</span>}
      {contract !== null && <Contract outcome={contract} trans={trans} />}
      {rows !== null && (
        <span>{trans._n('1 row', '%2 rows', rows, rows.toLocaleString())}</span>
      )}
      {columns.length > 0 && (
        <span>{trans._n('1 column', '%1 columns', columns.length)}</span>
      )}
      {uses > 0 && <span>{trans.__('used %1×', uses)}</span>}
      {tags.map(tag => (
        <span key={tag}>#{tag}</span>
      ))}
      {updated_at && <Ago time={updated_at} />}
    </span>
  );
}

function Contract(props: {
  readonly outcome: NonNullable<ICatalogueRow['contract']>;
  readonly trans: TranslationBundle;
}): JSX.Element {
  const { outcome, trans } = props;
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
