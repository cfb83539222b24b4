import { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { api, ask } from '../../api/client';
import { Resource } from '../../api/resource';
import { IRun, IRuns } from '../../api/types';
import { Panel } from '../../panel';
import { IContext } from '../../plugin';
import { Ago, Empty, MetricRow, Shown } from '../../ui/parts';

const RUNS = 50;

/** What was run, newest first. */
export function runsPanel({ workbench, trans }: IContext): Panel {
  const runs = new Resource(signal =>
    ask(
      api.GET('/runs', {
        params: { query: { path: workbench.path, limit: RUNS } },
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
  readonly runs: Resource<IRuns>;
  readonly trans: TranslationBundle;
}): JSX.Element {
  const { runs, trans } = props;
  return (
    <Shown
      resource={runs}
      trans={trans}
      whenEmpty={page =>
        page.items.length ? null : (
          <Empty>
            {trans.__('No runs yet. What a notebook logs to MLflow appears here.')}
          </Empty>
        )
      }
    >
      {page => (
        <ul className="jp-Workbench-list">
          {page.items.map(run => (
            <Run key={run.run_id} run={run} trans={trans} />
          ))}
        </ul>
      )}
    </Shown>
  );
}

function Run(props: {
  readonly run: IRun;
  readonly trans: TranslationBundle;
}): JSX.Element {
  const { run, trans } = props;
  const status = statusName(run.status, trans);
  return (
    <li className="jp-Workbench-card">
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
    </li>
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
