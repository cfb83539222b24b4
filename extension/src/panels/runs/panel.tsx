import { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { api, ask } from '../../api/client';
import { Pages } from '../../api/pages';
import { IRun } from '../../api/types';
import { Panel } from '../../panel';
import { IContext } from '../../plugin';
import { List } from '../../ui/list';
import { Ago, Empty, MetricRow } from '../../ui/parts';

const PAGE = 100;
const HEIGHT = 44;

/** What was run, newest first. */
export function runsPanel({ workbench, trans }: IContext): Panel {
  const runs = new Pages((cursor, signal) =>
    ask(
      api.GET('/runs', {
        params: { query: { path: workbench.path, limit: PAGE, cursor } },
        signal
      })
    )
  );
  return new Panel({
    id: 'runs',
    workbench,
    topics: ['runs'],
    load: () => runs.load(),
    clear: () => runs.clear(),
    render: () => <Runs runs={runs} trans={trans} />
  });
}

function Runs(props: {
  readonly runs: Pages<IRun>;
  readonly trans: TranslationBundle;
}): JSX.Element {
  const { runs, trans } = props;
  return (
    <List
      pages={runs}
      trans={trans}
      label={trans.__('Runs')}
      keyOf={run => run.run_id}
      height={HEIGHT}
      empty={
        <Empty>
          {trans.__('No runs yet. What a notebook logs to MLflow appears here.')}
        </Empty>
      }
    >
      {run => <Run run={run} trans={trans} />}
    </List>
  );
}

function Run(props: {
  readonly run: IRun;
  readonly trans: TranslationBundle;
}): JSX.Element {
  const { run, trans } = props;
  const status = statusName(run.status, trans);
  return (
    <div className="jp-Workbench-card">
      <details>
        <summary>
          <span className="jp-Workbench-line">
            <span
              className="jp-Workbench-dot"
              data-status={run.status}
              role="img"
              aria-label={status}
              title={status}
            />
            <span className="jp-Workbench-name" title={run.name}>
              {run.name}
            </span>
            <Ago time={run.start_time} />
          </span>
          <MetricRow metrics={run.metrics} />
        </summary>
        <RunDetails run={run} trans={trans} />
      </details>
    </div>
  );
}

function RunDetails(props: {
  readonly run: IRun;
  readonly trans: TranslationBundle;
}): JSX.Element {
  const { run, trans } = props;
  return (
    <div className="jp-Workbench-more">
      <Table title={trans.__('Metrics')} rows={run.metrics} />
      <Table title={trans.__('Parameters')} rows={run.params} />
      <Table
        title={trans.__('Run')}
        rows={{
          [trans.__('id')]: run.run_id,
          [trans.__('experiment')]: run.experiment
        }}
      />
    </div>
  );
}

function Table(props: {
  readonly title: string;
  readonly rows: Readonly<Record<string, string | number>>;
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
            <th scope="row">{name}</th>
            <td>{value}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function statusName(status: string, trans: TranslationBundle): string {
  switch (status) {
    case 'FINISHED':
      return trans.__('Finished');
    case 'FAILED':
      return trans.__('Failed');
    case 'KILLED':
      return trans.__('Stopped');
    case 'RUNNING':
      return trans.__('Running');
    case 'SCHEDULED':
      return trans.__('Scheduled');
    default:
      return status;
  }
}
