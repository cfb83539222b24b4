/**
 * A run in the list: a card in a narrow panel, a row of the table in a wide one.
 */
import { TranslationBundle } from '@jupyterlab/translation';
import React, { memo } from 'react';

import { IRun } from '../../api/types';
import { pinIcon } from '../../ui/icons';
import { Ago, MetricRow } from '../../ui/parts';
import { RunActions } from './actions';
import { columnStyle } from './columns';
import { RunDetails } from './details';
import { RunLines, Sparkline, useLines } from './lines';
import { RunsModel } from './model';
import { isPinned, statusName, TAGS, valueOf, written } from './words';

export interface IRunRowProps {
  readonly run: IRun;
  readonly model: RunsModel;
  readonly actions: RunActions;
  readonly columns: readonly string[];
  readonly isChosen: boolean;
  readonly isOpen: boolean;
  readonly trans: TranslationBundle;
}

export const RunRow = memo(function RunRow(props: IRunRowProps): JSX.Element {
  const { run, model, actions, isChosen, isOpen, trans } = props;
  return (
    <div
      className="jp-Workbench-run"
      data-run={run.run_id}
      data-chosen={isChosen}
      data-pinned={isPinned(run)}
    >
      <input
        type="checkbox"
        aria-label={trans.__('Choose %1', run.name)}
        checked={isChosen}
        onChange={event => model.choose(run, event.target.checked)}
      />
      <details
        open={isOpen}
        onToggle={event => model.setOpen(run, event.currentTarget.open)}
      >
        <Summary {...props} />
        {isOpen && (
          <RunDetails run={run} model={model} actions={actions} trans={trans} />
        )}
      </details>
      <Pin {...props} />
    </div>
  );
});

function Summary(props: IRunRowProps): JSX.Element {
  const { run, model, columns, trans } = props;
  const status = statusName(run.status, trans);
  const lines = useLines(model.lines, run.run_id);
  const note = run.tags[TAGS.note];
  const [first] = Object.entries(lines);
  return (
    <summary style={columnStyle(columns)}>
      <span className="jp-Workbench-runName">
        <span
          className="jp-Workbench-dot"
          data-status={run.status}
          role="img"
          aria-label={status}
          title={status}
        />
        <span
          className="jp-Workbench-name"
          title={[run.name, note].filter(Boolean).join('\n')}
        >
          {run.name}
        </span>
      </span>
      <Ago time={run.start_time} />
      <span className="jp-Workbench-runNumbers">
        <MetricRow metrics={run.metrics} />
        {first && <Sparkline name={first[0]} points={first[1]} trans={trans} />}
      </span>
      {columns.map(column => (
        <Cell key={column} run={run} column={column} lines={lines} trans={trans} />
      ))}
    </summary>
  );
}

function Cell(props: {
  readonly run: IRun;
  readonly column: string;
  readonly lines: RunLines;
  readonly trans: TranslationBundle;
}): JSX.Element {
  const { run, column, lines, trans } = props;
  const value = valueOf(run, column);
  const isMetric = column.startsWith('metrics.');
  const points = isMetric ? lines[column.slice('metrics.'.length)] : undefined;
  return (
    <span
      className="jp-Workbench-runCell"
      data-number={isMetric}
      title={`${column} = ${value ?? '–'}`}
    >
      {points && <Sparkline name={column} points={points} trans={trans} />}
      <span>{written(value)}</span>
    </span>
  );
}

function Pin(props: IRunRowProps): JSX.Element | null {
  const { run, model, actions, trans } = props;
  const isOn = isPinned(run);
  if (!model.mayWrite) {
    return isOn ? (
      <pinIcon.react
        tag="span"
        className="jp-Workbench-icon"
        title={trans.__('Pinned')}
      />
    ) : null;
  }
  return (
    <button
      className="jp-Workbench-iconButton jp-Workbench-pin"
      aria-label={trans.__('Pin %1', run.name)}
      aria-pressed={isOn}
      title={isOn ? trans.__('Pinned: let go') : trans.__('Pin: show it on top')}
      onClick={() => void actions.attempt(() => model.mark(run, { pinned: !isOn }))}
    >
      <pinIcon.react tag="span" className="jp-Workbench-icon" />
    </button>
  );
}
