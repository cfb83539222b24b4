/**
 * The part of the form that lets the notebook run by itself.
 */
import { Notification } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import { TranslationBundle } from '@jupyterlab/translation';
import React, { useId, useState } from 'react';

import { api, ask } from '../../api/client';
import { moment } from '../../ui/format';
import { READING_TIME } from '../../ui/saying';
import { Workbench } from '../../workbench';
import { Filling, useFilled } from './filling';

interface ISchedulingProps {
  readonly filling: Filling;
  readonly workbench: Workbench;
  /** The folder of the form, which may not be the one that the user is in any more. */
  readonly path: string;
  readonly trans: TranslationBundle;
}

/** What the notebook is given stands above; here is when it runs, written into a file. */
export function Scheduling(props: ISchedulingProps): JSX.Element {
  const { filling, trans } = props;
  const { notebook } = filling.form;
  const { grid, checked } = useFilled(filling);
  const [name, setName] = useState(() => nameOf(notebook));
  const [cron, setCron] = useState('0 6 * * *');
  const [zone, setZone] = useState(
    () => new Intl.DateTimeFormat().resolvedOptions().timeZone
  );
  const [problem, setProblem] = useState('');
  const [isSending, setSending] = useState(false);
  const id = useId();
  const varies = Object.keys(grid).length > 0;
  const add = async (): Promise<void> => {
    setSending(true);
    setProblem(await create(props, { name, cron, zone }));
    setSending(false);
  };
  const text = (
    label: string,
    value: string,
    set: (text: string) => void,
    list?: string
  ): JSX.Element => (
    <label className="jp-Workbench-jobOption">
      <span>{label}</span>
      <input
        value={value}
        list={list}
        autoComplete="off"
        spellCheck={false}
        onChange={event => set(event.target.value)}
      />
    </label>
  );
  return (
    <details className="jp-Workbench-jobOptions">
      <summary>{trans.__('On a schedule')}</summary>
      <div className="jp-Workbench-jobOptionGrid">
        {text(trans.__('Name of the schedule'), name, setName)}
        {text(
          trans.__('When: minute, hour, day, month, weekday'),
          cron,
          setCron,
          `${id}-cron`
        )}
        {text(trans.__('Time zone'), zone, setZone, `${id}-zone`)}
      </div>
      <datalist id={`${id}-cron`}>
        {usual(trans).map(([value, label]) => (
          <option key={value} value={value} label={label} />
        ))}
      </datalist>
      <datalist id={`${id}-zone`}>
        {Intl.supportedValuesOf('timeZone').map(value => (
          <option key={value} value={value} />
        ))}
      </datalist>
      {problem && (
        <p className="jp-Workbench-jobSaid" role="alert">
          {problem}
        </p>
      )}
      <p className="jp-Workbench-jobScheduling">
        <button
          type="button"
          className="jp-Workbench-button"
          disabled={varies || !checked?.jobs || isSending}
          onClick={() => void add()}
        >
          {trans.__('Add the schedule')}
        </button>
        <span className="jp-Workbench-muted">
          {varies
            ? trans.__('A schedule has one value for each parameter.')
            : trans.__('With the parameters above, in schedules/%1.toml', name)}
        </span>
      </p>
    </details>
  );
}

/** Write the schedule; resolves to what is wrong with it. */
async function create(
  { filling, workbench, path, trans }: ISchedulingProps,
  when: { readonly name: string; readonly cron: string; readonly zone: string }
): Promise<string> {
  try {
    const made = await ask(
      api.POST('/schedules', {
        params: { query: { path } },
        body: {
          ...when,
          notebook: filling.form.notebook,
          values: filling.state.values,
          description: filling.state.options.label
        }
      })
    );
    const next = made.next ? moment(made.next) : '';
    Notification.success(trans.__('%1 runs next at %2.', made.name, next), {
      autoClose: READING_TIME
    });
    workbench.tell('jobs');
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}

function nameOf(notebook: string): string {
  return PathExt.basename(notebook, '.ipynb').replace(/[^A-Za-z0-9_-]+/g, '-');
}

function usual(trans: TranslationBundle): readonly (readonly [string, string])[] {
  return [
    ['0 * * * *', trans.__('every hour')],
    ['0 6 * * *', trans.__('every day at 6')],
    ['0 6 * * 1-5', trans.__('on weekdays at 6')],
    ['0 6 * * 1', trans.__('on Mondays at 6')],
    ['0 6 1 * *', trans.__('on the first of the month at 6')]
  ];
}
