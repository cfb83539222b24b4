/**
 * Runs side by side, in the main area: pictures first, then what differs, then what doesn't.
 */
import { MainAreaWidget, ReactWidget } from '@jupyterlab/apputils';
import { UUID } from '@lumino/coreutils';
import { TranslationBundle } from '@jupyterlab/translation';
import { historyIcon } from '@jupyterlab/ui-components';
import React from 'react';

import { api, ask } from '../../api/client';
import { Resource } from '../../api/resource';
import { IComparison, IRun } from '../../api/types';
import { IContext } from '../../plugin';
import { Ago, Shown } from '../../ui/parts';
import { CommandIDs } from './actions';
import { Cells } from './cells';
import { Picture } from './picture';
import { ComparedRows } from './rows';
import { statusName } from './words';

/** So many runs have a colour of their own in the pictures. */
const COLOURED = 7;

/** Add the command that compares the runs that it is given. */
export function addCompareCommand(context: IContext): void {
  const { app, commands, trans, workbench } = context;
  commands.addCommand(CommandIDs.compare, {
    label: trans.__('Compare Runs'),
    caption: trans.__('Show runs side by side in the main area'),
    icon: historyIcon,
    describedBy: {
      args: {
        type: 'object',
        properties: {
          runs: { type: 'array', items: { type: 'string' } },
          path: {
            type: 'string',
            description: trans.__('A folder of the project, from the server’s root')
          }
        },
        required: ['runs']
      }
    },
    execute: args => {
      const runs = (args.runs as string[] | undefined) ?? [];
      const path = (args.path as string | undefined) ?? workbench.path;
      const widget = comparisonWidget(runs, path, trans);
      app.shell.add(widget, 'main');
      app.shell.activateById(widget.id);
    }
  });
}

function comparisonWidget(
  runs: readonly string[],
  path: string,
  trans: TranslationBundle
): MainAreaWidget {
  const query = { path, runs: runs.join(',') };
  const comparison = new Resource(signal =>
    ask(api.GET('/runs/comparison', { params: { query }, signal }))
  );
  const content = ReactWidget.create(
    <Shown resource={comparison} trans={trans} whenEmpty={() => null}>
      {found => <Comparison comparison={found} path={path} trans={trans} />}
    </Shown>
  );
  content.addClass('jp-Workbench');
  content.addClass('jp-Workbench-panel');
  const widget = new MainAreaWidget({ content });
  widget.id = `jupyter-workbench-comparison-${UUID.uuid4()}`;
  widget.title.label = trans._n('Compare %1 run', 'Compare %1 runs', runs.length);
  widget.title.icon = historyIcon;
  widget.title.closable = true;
  widget.toolbar.hide(); // it would be an empty stripe
  widget.node.setAttribute('aria-label', widget.title.label);
  widget.disposed.connect(() => comparison.dispose());
  void comparison.load();
  return widget;
}

function Comparison(props: {
  readonly comparison: IComparison;
  readonly path: string;
  readonly trans: TranslationBundle;
}): JSX.Element {
  const { comparison, path, trans } = props;
  const { runs } = comparison;
  const ids = runs.map(run => run.run_id);
  const parts = [
    { title: trans.__('Parameters'), rows: comparison.params, isShown: true },
    { title: trans.__('Metrics'), rows: comparison.metrics, isShown: true },
    { title: trans.__('Data'), rows: comparison.datasets, isShown: true },
    { title: trans.__('Features'), rows: comparison.features, isShown: true },
    { title: trans.__('Packages'), rows: comparison.packages, isShown: false }
  ];
  return (
    <div className="jp-Workbench-comparison">
      <div className="jp-Workbench-pictures">
        <Picture kind="parallel" runs={ids} path={path} trans={trans} />
        <Picture kind="scatter" runs={ids} path={path} trans={trans} />
      </div>
      <Legend runs={runs} trans={trans} />
      {parts.map(part => (
        <ComparedRows key={part.title} {...part} runs={runs} trans={trans} />
      ))}
      <Cells runs={runs} cells={comparison.cells} trans={trans} />
    </div>
  );
}

/** Which number and which colour each run has. */
function Legend(props: {
  readonly runs: readonly IRun[];
  readonly trans: TranslationBundle;
}): JSX.Element {
  const { runs, trans } = props;
  return (
    <ol className="jp-Workbench-legend">
      {runs.map((run, index) => (
        <li key={run.run_id}>
          <RunNumber index={index} of={runs.length} />
          <span className="jp-Workbench-name" title={run.run_id}>
            {run.name}
          </span>
          <span className="jp-Workbench-muted">{statusName(run.status, trans)}</span>
          <Ago time={run.start_time} />
        </li>
      ))}
    </ol>
  );
}

/** A run's number, on the colour that it has in the pictures if it has one. */
export function RunNumber(props: {
  readonly index: number;
  readonly of: number;
}): JSX.Element {
  const { index, of } = props;
  return (
    <span
      className="jp-Workbench-runNumber"
      data-colour={of <= COLOURED ? index : undefined}
    >
      {index + 1}
    </span>
  );
}
