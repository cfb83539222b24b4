/**
 * Alerts of one monitor that have the same cause.
 */
import React from 'react';

import { IAlertGroup } from '../../api/types';
import { IContext } from '../../plugin';
import { Ago } from '../../ui/parts';
import { whyNot } from '../../ui/standing';
import { CommandIDs } from './commands';

type IAlert = IAlertGroup['newest'][number];

export function AlertGroup(props: {
  readonly group: IAlertGroup;
  readonly context: IContext;
  readonly acknowledge: (ids: readonly number[]) => Promise<void>;
}): JSX.Element {
  const { group, context, acknowledge } = props;
  const { trans } = context;
  const { open, count, newest } = group;
  const reason = whyNot(context.workbench, trans);
  return (
    <li className="jp-Workbench-alerts" data-open={open.length > 0}>
      <details>
        <summary>
          <span className="jp-Workbench-line">
            <span className="jp-Workbench-name" title={group.cause}>
              {group.cause}
            </span>
            <span className="jp-Workbench-muted">
              {open.length
                ? trans.__('%1 of %2 open', open.length, count)
                : trans.__('%1 acknowledged', count)}
            </span>
          </span>
          <span className="jp-Workbench-muted">
            {trans.__('%1, newest in %2', group.model, newest[0].period)}
          </span>
        </summary>
        <ul>
          {newest.map(alert => (
            <Alert
              key={alert.id}
              alert={alert}
              monitor={group.monitor}
              context={context}
            />
          ))}
        </ul>
        {count > newest.length && (
          <p className="jp-Workbench-muted">
            {trans.__('and %1 older ones', count - newest.length)}
          </p>
        )}
      </details>
      {open.length > 0 && (
        <button
          className="jp-Workbench-button"
          disabled={!!reason}
          title={reason ?? trans.__('Say that somebody looks at it: %1', group.owner)}
          onClick={() => void acknowledge(open)}
        >
          {trans._n('Acknowledge', 'Acknowledge %1', open.length, open.length)}
        </button>
      )}
    </li>
  );
}

function Alert(props: {
  readonly alert: IAlert;
  readonly monitor: string;
  readonly context: IContext;
}): JSX.Element {
  const { alert, monitor, context } = props;
  const { trans, commands } = context;
  return (
    <li className="jp-Workbench-alert">
      <div className="jp-Workbench-line">
        <span className="jp-Workbench-strong">{alert.period}</span>
        <span className="jp-Workbench-muted jp-Workbench-grow jp-Workbench-cut">
          {alert.state === 'open' ? trans.__('open') : trans.__('acknowledged')}
        </span>
        <Ago time={alert.opened_at} />
      </div>
      <p>{alert.message}</p>
      {alert.job_id !== null && (
        <button
          className="jp-Workbench-link"
          onClick={() =>
            void commands.execute(CommandIDs.openWindow, {
              job: alert.job_id,
              title: trans.__('%1: %2', monitor, alert.period)
            })
          }
        >
          {trans.__('Open the notebook')}
        </button>
      )}
    </li>
  );
}
