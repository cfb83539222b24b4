import React from 'react';

import { api, ask } from '../../api/client';
import { Pages, usePages } from '../../api/pages';
import { Resource, useResource } from '../../api/resource';
import { IAlertGroup, IDashboard, IMonitored, IWindowMark } from '../../api/types';
import { Panel } from '../../panel';
import { IContext } from '../../plugin';
import { Light, Sign, toneName } from '../../ui/light';
import { Empty, Failure, Limited, Shown } from '../../ui/parts';
import { sayFailure } from '../../ui/saying';
import { AlertGroup } from './alerts';
import { CommandIDs } from './commands';

const MODELS = 50;
const GROUPS = 50;

/** How each model fares, what alerted, and the way to the dashboards. */
export function monitorsPanel(context: IContext): Panel {
  const { workbench } = context;
  const query = () => ({ path: workbench.path });
  const monitors = new Resource(signal =>
    ask(api.GET('/monitors', { params: { query: query() }, signal }))
  );
  const dashboards = new Resource(signal =>
    ask(api.GET('/dashboards', { params: { query: query() }, signal }))
  );
  const alerts = new Pages((cursor, signal) => {
    const params = { query: { ...query(), cursor, limit: GROUPS } };
    return ask(api.GET('/monitors/alerts', { params, signal }));
  });
  const parts = { context, monitors, dashboards, alerts };
  const panel: Panel = new Panel({
    id: 'monitors',
    workbench,
    topics: ['monitors', 'models'],
    load: () => Promise.all([monitors.load(), dashboards.load(), alerts.load()]),
    clear: () => [monitors, dashboards, alerts].forEach(one => one.clear()),
    render: () => <Monitors {...parts} />
  });
  monitors.changed.connect(() => {
    const { state } = monitors;
    const found = (state.kind === 'error' ? undefined : state.value) ?? [];
    const open = found.reduce((sum, one) => sum + one.open_alerts, 0);
    panel.badge = open ? `${open}` : '';
  });
  return panel;
}

interface IParts {
  readonly context: IContext;
  readonly monitors: Resource<readonly IMonitored[]>;
  readonly dashboards: Resource<readonly IDashboard[]>;
  readonly alerts: Pages<IAlertGroup>;
}

function Monitors(props: IParts): JSX.Element {
  const { context, monitors, dashboards } = props;
  const { trans } = context;
  const state = useResource(dashboards);
  const pages = (state.kind === 'error' ? undefined : state.value) ?? [];
  return (
    <Shown
      resource={monitors}
      trans={trans}
      whenEmpty={found =>
        found.length ? null : (
          <Empty>
            {trans.__(
              'Nothing is watched yet. A model that is champion appears here, and every window that a monitor judges.'
            )}
          </Empty>
        )
      }
      tools={<Dashboards context={context} dashboards={pages} />}
    >
      {found => (
        <div className="jp-Workbench-monitors">
          <section aria-label={trans.__('Watched models')}>
            <Limited items={found} limit={MODELS} trans={trans}>
              {one => (
                <Monitored
                  key={one.model}
                  one={one}
                  context={context}
                  dashboard={pages.find(page => page.address !== null) ?? null}
                />
              )}
            </Limited>
          </section>
          <Alerts {...props} />
        </div>
      )}
    </Shown>
  );
}

function Dashboards(props: {
  readonly context: IContext;
  readonly dashboards: readonly IDashboard[];
}): JSX.Element | null {
  const { context, dashboards } = props;
  const { trans, commands } = context;
  if (!dashboards.length) {
    return null;
  }
  return (
    <div className="jp-Workbench-actions">
      {dashboards.map(({ name, address, refusal }) => (
        <button
          key={name}
          className="jp-Workbench-button"
          disabled={address === null}
          title={refusal || trans.__('Open the dashboard %1 in a tab', name)}
          onClick={() =>
            void commands.execute(CommandIDs.openDashboard, { address, name })
          }
        >
          {trans.__('Dashboard: %1', name)}
        </button>
      ))}
    </div>
  );
}

function Monitored(props: {
  readonly one: IMonitored;
  readonly context: IContext;
  readonly dashboard: IDashboard | null;
}): JSX.Element {
  const { one, context, dashboard } = props;
  const { trans, commands } = context;
  return (
    <li className="jp-Workbench-monitored">
      <div className="jp-Workbench-line">
        <span className="jp-Workbench-name" title={one.model}>
          {one.model}
        </span>
        {one.champion !== null && (
          <span className="jp-Workbench-muted">{trans.__('v%1', one.champion)}</span>
        )}
        <Light tone={one.light} trans={trans} />
      </div>
      <p>{one.text}</p>
      {one.windows.length > 0 && <Strip windows={one.windows} context={context} />}
      <div className="jp-Workbench-facts">
        {one.owner && <span>{trans.__('owner %1', one.owner)}</span>}
        {one.seen_alerts > 0 && (
          <span>{trans.__('%1 acknowledged', one.seen_alerts)}</span>
        )}
        {dashboard && (
          <button
            className="jp-Workbench-link"
            onClick={() =>
              void commands.execute(CommandIDs.openDashboard, {
                address: dashboard.address,
                name: dashboard.name,
                model: one.model
              })
            }
          >
            {trans.__('Open in the dashboard')}
          </button>
        )}
      </div>
    </li>
  );
}

/** The windows of a model, oldest first: each leads to the notebook that judged it. */
function Strip(props: {
  readonly windows: readonly IWindowMark[];
  readonly context: IContext;
}): JSX.Element {
  const { windows, context } = props;
  const { trans, commands } = context;
  return (
    <ol className="jp-Workbench-strip" aria-label={trans.__('Windows, oldest first')}>
      {windows.map(one => {
        const label = trans.__(
          '%1, version %2: %3',
          one.period,
          one.version,
          toneName(one.status, trans)
        );
        const open = (): void =>
          void commands.execute(CommandIDs.openWindow, {
            job: one.job_id,
            title: trans.__('%1: %2', one.monitor, one.period)
          });
        return (
          <li key={`${one.monitor} ${one.start}`}>
            <button
              disabled={one.job_id === null}
              aria-label={label}
              title={[label, one.said].filter(Boolean).join('\n')}
              onClick={open}
            >
              <Sign tone={one.status} />
            </button>
          </li>
        );
      })}
    </ol>
  );
}

function Alerts({ context, alerts }: IParts): JSX.Element {
  const { trans, workbench } = context;
  const { items, hasMore, error } = usePages(alerts);
  const acknowledge = async (ids: readonly number[]): Promise<void> => {
    try {
      await ask(
        api.POST('/monitors/alerts/acknowledged', {
          params: { query: { path: workbench.path } },
          body: { alerts: [...ids] }
        })
      );
      workbench.tell('monitors');
    } catch (reason) {
      sayFailure(reason);
    }
  };
  return (
    <section aria-label={trans.__('Alerts')}>
      <h3>{trans.__('Alerts')}</h3>
      {error && <Failure error={error} retry={() => alerts.load()} trans={trans} />}
      {!items.length && hasMore === false && (
        <Empty>{trans.__('No alert is waiting for anybody.')}</Empty>
      )}
      <ul>
        {items.map(group => (
          <AlertGroup
            key={`${group.monitor} ${group.cause}`}
            group={group}
            context={context}
            acknowledge={acknowledge}
          />
        ))}
      </ul>
      {hasMore && (
        <button className="jp-Workbench-link" onClick={() => void alerts.more()}>
          {trans.__('Show more')}
        </button>
      )}
    </section>
  );
}
