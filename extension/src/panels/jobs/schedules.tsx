import { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { api, ask } from '../../api/client';
import { Resource } from '../../api/resource';
import { ISchedule, ISchedules } from '../../api/types';
import { moment } from '../../ui/format';
import { Ago, Empty, Shown } from '../../ui/parts';
import { sayFailure } from '../../ui/saying';
import { Workbench } from '../../workbench';
import { Actions } from './actions';
import { Sign, stateName } from './states';

interface ISchedulesProps {
  readonly schedules: Resource<ISchedules>;
  readonly workbench: Workbench;
  readonly actions: Actions;
  readonly trans: TranslationBundle;
}

/** What runs by itself. */
export function Schedules(props: ISchedulesProps): JSX.Element {
  const { schedules, trans } = props;
  return (
    <Shown
      resource={schedules}
      trans={trans}
      whenEmpty={({ items }) =>
        items.length ? null : (
          <Empty>
            {trans.__(
              'No schedules yet. “Run as Job” has a part “On a schedule”; or write a file schedules/NAME.toml.'
            )}
          </Empty>
        )
      }
    >
      {({ served, items }) => (
        <>
          {!served && items.some(each => each.enabled) && (
            <p className="jp-Workbench-jobHint" role="status">
              {trans.__(
                'No scheduler is there to run them: type `workbench scheduler` in a terminal, or let the Jupyter server do it (serve_schedules in workbench.toml).'
              )}
            </p>
          )}
          <ul>
            {items.map(schedule => (
              <Schedule key={schedule.name} {...props} schedule={schedule} />
            ))}
          </ul>
        </>
      )}
    </Shown>
  );
}

function Schedule(
  props: ISchedulesProps & { readonly schedule: ISchedule }
): JSX.Element {
  const { schedule, schedules, workbench, actions, trans } = props;
  const { name, last, problem } = schedule;
  const turn = async (enabled: boolean): Promise<void> => {
    try {
      await ask(
        api.PATCH('/schedules/{name}', {
          params: { path: { name }, query: { path: workbench.path } },
          body: { enabled }
        })
      );
    } catch (error) {
      sayFailure(error);
    }
    await schedules.load();
  };
  const [job] = last?.jobs ?? [];
  return (
    <li className="jp-Workbench-schedule">
      <div className="jp-Workbench-line">
        <button
          className="jp-Workbench-jobName jp-Workbench-name"
          title={schedule.description || trans.__('Open its file')}
          onClick={() => actions.openFile(`schedules/${name}.toml`)}
        >
          {name}
        </button>
        {!problem && (
          <button
            className="jp-Workbench-switch"
            role="switch"
            aria-checked={schedule.enabled}
            aria-label={trans.__('Schedule %1 runs', name)}
            disabled={!!actions.whyNot}
            title={actions.whyNot}
            onClick={() => void turn(!schedule.enabled)}
          >
            <span className="jp-Workbench-switchKnob" />
            {schedule.enabled ? trans.__('On') : trans.__('Paused')}
          </button>
        )}
      </div>
      {problem ? (
        <p className="jp-Workbench-jobSaid">{problem}</p>
      ) : (
        <dl className="jp-Workbench-jobFacts">
          {schedule.description && (
            <>
              <dt>{trans.__('For')}</dt>
              <dd>{schedule.description}</dd>
            </>
          )}
          <dt>{trans.__('Runs')}</dt>
          <dd>{schedule.runs}</dd>
          <dt>{trans.__('When')}</dt>
          <dd>
            <code>{schedule.cron}</code> {schedule.zone}
          </dd>
          <dt>{trans.__('Next')}</dt>
          <dd>{schedule.next ? moment(schedule.next) : trans.__('paused')}</dd>
        </dl>
      )}
      {last && (
        <dl className="jp-Workbench-jobFacts">
          <dt>{trans.__('Last')}</dt>
          <dd title={last.reason}>
            <Sign state={last.state} trans={trans} />{' '}
            {job ? (
              <button className="jp-Workbench-link" onClick={() => actions.open(job)}>
                {stateName(last.state, trans)}
              </button>
            ) : (
              stateName(last.state, trans)
            )}{' '}
            <Ago time={last.at} />
          </dd>
        </dl>
      )}
    </li>
  );
}
