import { TranslationBundle } from '@jupyterlab/translation';
import { ISignal, Signal } from '@lumino/signaling';
import React, { KeyboardEvent, useSyncExternalStore } from 'react';

import { api, ask } from '../../api/client';
import { Pages } from '../../api/pages';
import { Resource, useResource } from '../../api/resource';
import { IFailureGroup, IJob, ISchedules } from '../../api/types';
import { Panel } from '../../panel';
import { IContext } from '../../plugin';
import { jobIcon } from '../../ui/icons';
import { List } from '../../ui/list';
import { Empty } from '../../ui/parts';
import { Workbench } from '../../workbench';
import { Actions } from './actions';
import { Failures } from './failures';
import { JobRow } from './rows';
import { Schedules } from './schedules';

const PAGE = 100;
const MOST = 500;
const HEIGHT = 44;

const TABS = ['jobs', 'failures', 'schedules'] as const;
const FILTERS = ['all', 'open', 'bad', 'done'] as const;

type Tab = (typeof TABS)[number];
type Filter = (typeof FILTERS)[number];

/** What the panel shows of all that there is. */
interface IView {
  readonly tab: Tab;
  readonly filter: Filter;
}

/** The jobs of a project, as one panel shows them. */
class Jobs {
  constructor(readonly workbench: Workbench) {}

  /** As many as are shown are read again at once: a list that is scrolled stays where it is. */
  readonly pages: Pages<IJob> = new Pages((cursor, signal) => {
    const shown = Math.min(MOST, Math.max(PAGE, this.pages.state.items.length));
    const limit = cursor ? PAGE : shown;
    const query = { path: this.workbench.path, show: this._view.filter, limit, cursor };
    return ask(api.GET('/jobs', { params: { query }, signal }));
  });

  /** Those that run, with how far they are. */
  readonly running = new Resource<readonly IJob[]>(async signal => {
    const query = { path: this.workbench.path, show: 'open' as const, limit: PAGE };
    return (await ask(api.GET('/jobs', { params: { query }, signal }))).items;
  });

  readonly failures = new Resource<readonly IFailureGroup[]>(signal =>
    ask(
      api.GET('/jobs/failures', {
        params: { query: { path: this.workbench.path } },
        signal
      })
    )
  );

  readonly schedules = new Resource<ISchedules>(signal =>
    ask(
      api.GET('/schedules', {
        params: { query: { path: this.workbench.path } },
        signal
      })
    )
  );

  get view(): IView {
    return this._view;
  }

  get viewChanged(): ISignal<this, void> {
    return this._viewChanged;
  }

  show(view: Partial<IView>): void {
    const isOther = view.filter !== undefined && view.filter !== this._view.filter;
    this._view = { ...this._view, ...view };
    if (isOther) {
      this.pages.clear();
    }
    this._viewChanged.emit();
    this.load();
  }

  /** Read what the open tab shows. */
  load(): void {
    switch (this._view.tab) {
      case 'jobs':
        void this.pages.load();
        void this.running.load();
        return;
      case 'failures':
        return void this.failures.load();
      case 'schedules':
        return void this.schedules.load();
    }
  }

  clear(): void {
    [this.pages, this.running, this.failures, this.schedules].forEach(each =>
      each.clear()
    );
  }

  private _view: IView = { tab: 'jobs', filter: 'all' };
  private readonly _viewChanged = new Signal<this, void>(this);
}

/** What was asked for, how it goes and how it went. */
export function jobsPanel(context: IContext): Panel {
  const { workbench, trans } = context;
  const jobs = new Jobs(workbench);
  const actions = new Actions(context);
  const panel = new Panel({
    id: 'jobs',
    workbench,
    topics: ['jobs'],
    load: () => jobs.load(),
    clear: () => jobs.clear(),
    render: () => <JobsView jobs={jobs} actions={actions} trans={trans} />
  });
  const follow = (_: Workbench, topics: readonly string[]): void => {
    if (topics.includes('progress') && panel.isVisible && jobs.view.tab === 'jobs') {
      void jobs.running.load();
    }
  };
  workbench.changed.connect(follow);
  panel.disposed.connect(() => workbench.changed.disconnect(follow));
  return panel;
}

interface IJobsProps {
  readonly jobs: Jobs;
  readonly actions: Actions;
  readonly trans: TranslationBundle;
}

function JobsView(props: IJobsProps): JSX.Element {
  const { jobs, actions, trans } = props;
  const { tab } = useView(jobs);
  return (
    <div className="jp-Workbench-jobs">
      <div className="jp-Workbench-jobsHead">
        <Tabs {...props} />
        <button className="jp-Workbench-button" onClick={() => actions.runCurrent()}>
          <jobIcon.react tag="span" className="jp-Workbench-icon" />
          {trans.__('Run as Job')}
        </button>
      </div>
      <div
        role="tabpanel"
        className="jp-Workbench-jobsBody"
        aria-label={tabName(tab, trans)}
      >
        {tab === 'jobs' && <JobList {...props} />}
        {tab === 'failures' && <Failures {...props} failures={jobs.failures} />}
        {tab === 'schedules' && (
          <Schedules {...props} schedules={jobs.schedules} workbench={jobs.workbench} />
        )}
      </div>
    </div>
  );
}

function Tabs({ jobs, trans }: IJobsProps): JSX.Element {
  const { tab } = useView(jobs);
  const onKeyDown = (event: KeyboardEvent<HTMLElement>): void => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step) {
      const next = (TABS.indexOf(tab) + step + TABS.length) % TABS.length;
      jobs.show({ tab: TABS[next] });
      (event.currentTarget.children[next] as HTMLElement).focus();
    }
  };
  return (
    <div
      className="jp-Workbench-jobTabs"
      role="tablist"
      aria-label={trans.__('Jobs')}
      onKeyDown={onKeyDown}
    >
      {TABS.map(each => (
        <button
          key={each}
          role="tab"
          aria-selected={each === tab}
          tabIndex={each === tab ? 0 : -1}
          onClick={() => jobs.show({ tab: each })}
        >
          {tabName(each, trans)}
        </button>
      ))}
    </div>
  );
}

function JobList({ jobs, actions, trans }: IJobsProps): JSX.Element {
  const { filter } = useView(jobs);
  const running = useResource(jobs.running);
  const live = new Map(
    (running.kind === 'error' ? [] : (running.value ?? [])).map(job => [job.id, job])
  );
  const filters = (
    <select
      className="jp-Workbench-jobChoice"
      aria-label={trans.__('Which jobs')}
      value={filter}
      onChange={event => jobs.show({ filter: event.target.value as Filter })}
    >
      {FILTERS.map(each => (
        <option key={each} value={each}>
          {filterName(each, trans)}
        </option>
      ))}
    </select>
  );
  return (
    <List
      pages={jobs.pages}
      trans={trans}
      label={trans.__('Jobs')}
      keyOf={job => job.id}
      height={HEIGHT}
      tools={filters}
      empty={
        <Empty>
          {filter === 'all'
            ? trans.__(
                'No jobs yet. “Run as Job” runs the notebook that is open, with parameters of its own.'
              )
            : trans.__('No such jobs.')}
        </Empty>
      }
    >
      {job => (
        <JobRow
          job={job.state === 'running' ? (live.get(job.id) ?? job) : job}
          actions={actions}
          trans={trans}
        />
      )}
    </List>
  );
}

function useView(jobs: Jobs): IView {
  return useSyncExternalStore(
    listener => {
      jobs.viewChanged.connect(listener);
      return () => void jobs.viewChanged.disconnect(listener);
    },
    () => jobs.view
  );
}

function tabName(tab: Tab, trans: TranslationBundle): string {
  switch (tab) {
    case 'jobs':
      return trans.__('Jobs');
    case 'failures':
      return trans.__('Failures');
    case 'schedules':
      return trans.__('Schedules');
  }
}

function filterName(filter: Filter, trans: TranslationBundle): string {
  switch (filter) {
    case 'all':
      return trans.__('All jobs');
    case 'open':
      return trans.__('Waiting or running');
    case 'bad':
      return trans.__('Failed or lost');
    case 'done':
      return trans.__('Succeeded');
  }
}
