/**
 * All that is known of a run, below its row, and what can be done with it.
 */
import { TranslationBundle } from '@jupyterlab/translation';
import {
  downloadIcon,
  LabIcon,
  launchIcon,
  notebookIcon,
  runIcon,
  tagIcon
} from '@jupyterlab/ui-components';
import React, { Fragment, ReactNode, useEffect, useState } from 'react';

import { api, ask } from '../../api/client';
import { IRun } from '../../api/types';
import { moment } from '../../ui/format';
import { whyNot } from '../../ui/standing';
import { RunActions } from './actions';
import { RunLines, Sparkline } from './lines';
import { Note, Tags } from './marks';
import { RunsModel } from './model';
import { TAGS, written } from './words';

export interface IRunDetailsProps {
  readonly run: IRun;
  readonly model: RunsModel;
  readonly actions: RunActions;
  readonly trans: TranslationBundle;
}

export function RunDetails(props: IRunDetailsProps): JSX.Element {
  const { run, model, trans } = props;
  const lines = useAllLines(model, run);
  return (
    <div className="jp-Workbench-more">
      <Actions {...props} />
      <Note {...props} />
      <Tags {...props} />
      <div className="jp-Workbench-runTables">
        <Table title={trans.__('Metrics')} rows={run.metrics}>
          {name =>
            lines[name] && <Sparkline name={name} points={lines[name]} trans={trans} />
          }
        </Table>
        <Table title={trans.__('Parameters')} rows={run.params} />
        <Table title={trans.__('Run')} rows={origin(run, trans)} />
      </div>
    </div>
  );
}

/** The lines of all metrics, also of those that were logged without steps. */
function useAllLines(model: RunsModel, run: IRun): RunLines {
  const [lines, setLines] = useState<RunLines>(model.lines.of(run.run_id));
  const { path } = model.workbench;
  useEffect(() => {
    const gone = new AbortController();
    const query = { path, runs: run.run_id };
    ask(api.GET('/runs/sparklines', { params: { query }, signal: gone.signal })).then(
      found => setLines(found[run.run_id] ?? {}),
      () => undefined // the numbers are there without them
    );
    return () => gone.abort();
  }, [path, run]);
  return lines;
}

function Actions(props: IRunDetailsProps): JSX.Element {
  const { run, model, actions, trans } = props;
  const isKept = /^[0-9a-f]{7,}$/.test(run.tags[TAGS.snapshot] ?? '');
  const hasNotebook = TAGS.notebook in run.tags;
  const reason = whyNot(model.workbench, trans);
  return (
    <div className="jp-Workbench-runActions" role="group" aria-label={trans.__('Run')}>
      <Action
        icon={notebookIcon}
        title={trans.__('Open the notebook as this run executed it')}
        disabled={!hasNotebook}
        act={() => void actions.attempt(() => actions.openNotebook(run))}
      >
        {trans.__('Notebook')}
      </Action>
      <Action
        icon={downloadIcon}
        title={
          reason ??
          (isKept
            ? trans.__('Bring its code into a new folder')
            : trans.__('Its code was not kept'))
        }
        disabled={!isKept || !model.mayWrite}
        act={() => void actions.attempt(() => actions.checkOut(run))}
      >
        {trans.__('Check out…')}
      </Action>
      {actions.canRun && (
        <Action
          icon={runIcon}
          title={reason ?? trans.__('Run its notebook as a job, with other parameters')}
          disabled={!hasNotebook || !model.mayWrite}
          act={() => void actions.attempt(() => actions.runAgain(run))}
        >
          {trans.__('Run again…')}
        </Action>
      )}
      {actions.canRegister && (
        <Action
          icon={tagIcon}
          title={
            reason ?? trans.__('Make its model a version, to be put through a gate')
          }
          disabled={run.status !== 'FINISHED' || !model.mayWrite}
          act={() => void actions.attempt(() => actions.register(run))}
        >
          {trans.__('Register…')}
        </Action>
      )}
      <Action
        icon={launchIcon}
        title={trans.__('Open it in MLflow’s own pages')}
        act={() => actions.openMlflow(run)}
      >
        MLflow
      </Action>
    </div>
  );
}

function Action(props: {
  readonly icon: LabIcon;
  readonly title: string;
  readonly disabled?: boolean;
  readonly act: () => void;
  readonly children: ReactNode;
}): JSX.Element {
  return (
    <button
      className="jp-Workbench-button"
      title={props.title}
      disabled={props.disabled}
      onClick={props.act}
    >
      <props.icon.react tag="span" className="jp-Workbench-icon" />
      {props.children}
    </button>
  );
}

function origin(
  run: IRun,
  trans: TranslationBundle
): Readonly<Record<string, string | number>> {
  const rows = {
    [trans.__('id')]: run.run_id,
    [trans.__('experiment')]: run.experiment,
    [trans.__('started')]: moment(run.start_time),
    [trans.__('notebook')]: run.tags[TAGS.notebook],
    [trans.__('branch')]: run.tags[TAGS.branch],
    [trans.__('commit')]: run.tags[TAGS.commit]?.slice(0, 7),
    [trans.__('user')]: run.user
  };
  return Object.fromEntries(Object.entries(rows).filter(([, value]) => value));
}

/** Let a long text break after its parts, not within them. */
function breakable(name: string): ReactNode {
  return name.split(/(?<=[_./-])/).map((part, index) => (
    <Fragment key={index}>
      {index > 0 && <wbr />}
      {part}
    </Fragment>
  ));
}

function Table(props: {
  readonly title: string;
  readonly rows: Readonly<Record<string, string | number>>;
  readonly children?: (name: string) => ReactNode;
}): JSX.Element | null {
  const rows = Object.entries(props.rows);
  if (!rows.length) {
    return null;
  }
  return (
    <table>
      <caption>{props.title}</caption>
      <tbody>
        {rows.map(([name, value]) => (
          <tr key={name}>
            <th scope="row">{breakable(name)}</th>
            <td>
              <span title={String(value)}>{breakable(written(value))}</span>
              {props.children?.(name)}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
