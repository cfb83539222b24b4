/**
 * One version, with what speaks for it.
 */
import { TranslationBundle } from '@jupyterlab/translation';
import { checkIcon, closeIcon, ellipsesIcon } from '@jupyterlab/ui-components';
import React, { MouseEvent } from 'react';

import { IModelVersion, ITask, Metrics } from '../../api/types';
import { IContext } from '../../plugin';
import { Ago, MetricRow } from '../../ui/parts';
import { whyNot } from '../../ui/standing';
import { openVersionMenu } from './commands';

const METRICS = 4;

/** Those that versions are mostly compared by, of every task. */
const KNOWN = [
  'roc_auc',
  'average_precision',
  'brier',
  'log_loss',
  'rmse',
  'mae',
  'r2'
] as const;

/** The metrics that are best known first, and those of no model left out. */
function ranked(metrics: Metrics): Metrics {
  const names = Object.keys(metrics).filter(name => !name.startsWith('baseline_'));
  const known = KNOWN.filter(name => name in metrics);
  const rest = names.filter(name => !(known as readonly string[]).includes(name));
  return Object.fromEntries([...known, ...rest].map(name => [name, metrics[name]]));
}

/** Number, gate, age and metrics of a version. */
export function Evidence(props: {
  readonly version: IModelVersion;
  readonly trans: TranslationBundle;
  readonly children?: React.ReactNode;
}): JSX.Element {
  const { version, trans, children } = props;
  return (
    <>
      <div className="jp-Workbench-line">
        <span className="jp-Workbench-versionName">
          {trans.__('v%1', version.version)}
        </span>
        <Gate outcome={version.gate} trans={trans} />
        <Ago time={version.created_at} />
        {children}
      </div>
      <MetricRow metrics={ranked(version.metrics)} limit={METRICS} />
    </>
  );
}

/** A row of the list of versions, with its menu and what is under way for it. */
export function VersionRow(props: {
  readonly context: IContext;
  readonly model: string;
  readonly version: IModelVersion;
  readonly tasks: readonly ITask[];
}): JSX.Element {
  const { context, model, version, tasks } = props;
  const { trans, commands } = context;
  const args = { model, version: version.version };
  const reason = whyNot(context.workbench, trans);
  const menu = (event: MouseEvent): void => {
    event.preventDefault();
    const { left, bottom } = event.currentTarget.getBoundingClientRect();
    const isKey = event.clientX === 0 && event.clientY === 0;
    openVersionMenu(
      context,
      args,
      isKey || event.type === 'click' ? left : event.clientX,
      isKey || event.type === 'click' ? bottom : event.clientY
    );
  };
  return (
    <div
      className="jp-Workbench-version"
      data-champion={version.aliases.includes('champion')}
      onContextMenu={menu}
    >
      <Evidence version={version} trans={trans}>
        <button
          className="jp-Workbench-button jp-Workbench-wide"
          disabled={!!reason}
          title={reason}
          onClick={() => void commands.execute('workbench:promote-version', args)}
        >
          {trans.__('Promote…')}
        </button>
        <button
          className="jp-Workbench-iconButton"
          aria-haspopup="menu"
          aria-label={trans.__('What to do with version %1', version.version)}
          title={trans.__('What to do with version %1', version.version)}
          onClick={menu}
        >
          <ellipsesIcon.react tag="span" className="jp-Workbench-icon" />
        </button>
      </Evidence>
      {version.aliases.length > 0 && (
        <div className="jp-Workbench-chips">
          {version.aliases.map(alias => (
            <span key={alias} className="jp-Workbench-chip" data-alias={alias}>
              {alias}
            </span>
          ))}
        </div>
      )}
      {version.override && (
        <p className="jp-Workbench-override">
          {trans.__('! without its gate: %1', version.override)}
        </p>
      )}
      {version.format === 'pickle' && (
        <p className="jp-Workbench-override">
          {trans.__('! a pickle, which the project has to trust')}
        </p>
      )}
      {tasks.map(task => (
        <TaskLine key={task.id} task={task} trans={trans} />
      ))}
    </div>
  );
}

const SIGNS: Readonly<Record<ITask['state'], string>> = {
  waiting: '',
  running: '',
  succeeded: '✓ ',
  disappointed: '! ',
  failed: '✕ '
};

/** What the server is doing for a version, or what came of it. */
function TaskLine(props: {
  readonly task: ITask;
  readonly trans: TranslationBundle;
}): JSX.Element {
  const { task, trans } = props;
  const what = task.kind === 'gate' ? trans.__('Gate') : trans.__('Reproduction');
  const state =
    task.state === 'waiting'
      ? trans.__('waits for its turn')
      : task.said || trans.__('under way');
  return (
    <p className="jp-Workbench-task" data-state={task.state} role="status">
      {SIGNS[task.state]}
      {trans.__('%1: %2', what, state)}
    </p>
  );
}

/** How the newest gate of a version went. */
export function Gate(props: {
  readonly outcome: IModelVersion['gate'];
  readonly trans: TranslationBundle;
}): JSX.Element {
  const { outcome, trans } = props;
  if (outcome === null) {
    return <span className="jp-Workbench-gate">{trans.__('no gate yet')}</span>;
  }
  const Icon = outcome === 'passed' ? checkIcon : closeIcon;
  return (
    <span className="jp-Workbench-gate" data-outcome={outcome}>
      <Icon.react tag="span" className="jp-Workbench-icon" />
      {outcome === 'passed' ? trans.__('gate passed') : trans.__('gate failed')}
    </span>
  );
}
