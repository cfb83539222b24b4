/**
 * What stands above the runs: the filter, whose runs, in which order, and what of the chosen ones.
 */
import { TranslationBundle } from '@jupyterlab/translation';
import {
  caretDownIcon,
  caretUpIcon,
  closeIcon,
  launchIcon
} from '@jupyterlab/ui-components';
import React from 'react';

import { useResource } from '../../api/resource';
import { RunActions } from './actions';
import { ColumnChooser } from './columns';
import { FilterBox } from './filter';
import { RunsModel, useView } from './model';
import { Scope } from './view';

/** How many can be compared: each has a column. The server says so too. */
const MOST_COMPARED = 12;

export interface IToolsProps {
  readonly model: RunsModel;
  readonly actions: RunActions;
  readonly openWide: () => void;
  readonly trans: TranslationBundle;
}

export function Tools(props: IToolsProps): JSX.Element {
  const { model, actions, openWide, trans } = props;
  return (
    <div className="jp-Workbench-runsTools">
      <FilterBox model={model} trans={trans} />
      <div className="jp-Workbench-runsBar">
        <ScopeChoice model={model} trans={trans} />
        <SortChoice model={model} trans={trans} />
        <ColumnChooser model={model} trans={trans} />
        <button
          className="jp-Workbench-iconButton jp-Workbench-whenNarrow"
          aria-label={trans.__('Open Runs in the main area')}
          title={trans.__('Open in the main area, with columns')}
          onClick={openWide}
        >
          <launchIcon.react tag="span" className="jp-Workbench-icon" />
        </button>
      </div>
      <Chosen model={model} actions={actions} trans={trans} />
    </div>
  );
}

function ScopeChoice(props: {
  readonly model: RunsModel;
  readonly trans: TranslationBundle;
}): JSX.Element {
  const { model, trans } = props;
  const { scope, branch } = useView(model);
  const choices: readonly [Scope, string, string][] = [
    ['all', trans.__('All'), trans.__('Runs of all branches')],
    [
      'branch',
      trans.__('Branch'),
      branch ? trans.__('Runs of %1', branch) : trans.__('Runs of this branch')
    ]
  ];
  return (
    <div
      className="jp-Workbench-runsScope"
      role="group"
      aria-label={trans.__('Whose runs')}
    >
      {choices.map(([value, label, title]) => (
        <button
          key={value}
          aria-pressed={scope === value}
          title={title}
          onClick={() => model.setScope(value)}
        >
          {label}
        </button>
      ))}
    </div>
  );
}

function SortChoice(props: {
  readonly model: RunsModel;
  readonly trans: TranslationBundle;
}): JSX.Element {
  const { model, trans } = props;
  const { sort } = useView(model);
  const state = useResource(model.facets);
  const facets = state.kind === 'error' ? undefined : state.value;
  const metrics = Object.keys(facets?.metrics ?? {}).map(key => `metrics.${key}`);
  const params = Object.keys(facets?.params ?? {}).map(key => `params.${key}`);
  const known = ['start_time', ...metrics, ...params];
  const Direction = sort.isDescending ? caretDownIcon : caretUpIcon;
  const way = sort.isDescending
    ? trans.__('The highest and the newest first; turn round')
    : trans.__('The lowest and the oldest first; turn round');
  const option = (field: string): JSX.Element => (
    <option key={field} value={field}>
      {field.slice(field.indexOf('.') + 1)}
    </option>
  );
  return (
    <div className="jp-Workbench-sort">
      <select
        aria-label={trans.__('Sort runs by')}
        value={sort.field}
        onFocus={() => void model.refreshFacets()}
        onChange={event => model.sortBy(event.target.value, true)}
      >
        <option value="start_time">{trans.__('Started')}</option>
        {!known.includes(sort.field) && option(sort.field)}
        <optgroup label={trans.__('Metrics')}>{metrics.map(option)}</optgroup>
        <optgroup label={trans.__('Parameters')}>{params.map(option)}</optgroup>
      </select>
      <button
        className="jp-Workbench-iconButton"
        aria-label={way}
        title={way}
        onClick={() => model.sortBy(sort.field, !sort.isDescending)}
      >
        <Direction.react tag="span" className="jp-Workbench-icon" />
      </button>
    </div>
  );
}

function Chosen(props: {
  readonly model: RunsModel;
  readonly actions: RunActions;
  readonly trans: TranslationBundle;
}): JSX.Element | null {
  const { model, actions, trans } = props;
  const { chosen } = useView(model);
  const count = chosen.size;
  if (!count) {
    return null;
  }
  const isFew = count < 2;
  const title = isFew
    ? trans.__('Choose two runs or more to compare them')
    : count > MOST_COMPARED
      ? trans.__('%1 runs at most can be compared', MOST_COMPARED)
      : trans.__('Parameters, metrics, data, features and cells side by side');
  return (
    <div className="jp-Workbench-runsChosen">
      <span role="status">
        {trans._n('%1 run chosen', '%1 runs chosen', count, count)}
      </span>
      <button
        className="jp-Workbench-button"
        disabled={isFew || count > MOST_COMPARED}
        title={title}
        onClick={() => actions.compare(chosen)}
      >
        {trans.__('Compare')}
      </button>
      <button
        className="jp-Workbench-iconButton"
        aria-label={trans.__('Choose none')}
        title={trans.__('Choose none')}
        onClick={() => model.chooseNone()}
      >
        <closeIcon.react tag="span" className="jp-Workbench-icon" />
      </button>
    </div>
  );
}
