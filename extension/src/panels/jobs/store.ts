/**
 * What the panel of the jobs shows, and what was read of it.
 */
import { TranslationBundle } from '@jupyterlab/translation';
import { ISignal, Signal } from '@lumino/signaling';

import { api, ask } from '../../api/client';
import { Pages } from '../../api/pages';
import { Resource } from '../../api/resource';
import { IFailureGroup, IJob, ISchedules, JobState } from '../../api/types';
import { Workbench } from '../../workbench';
import type { Actions } from './actions';
import { useSeen } from './seen';

const PAGE = 100;
const MOST = 500;

export const TABS = ['jobs', 'failures', 'schedules'] as const;
export const FILTERS = ['all', 'open', 'bad', 'done'] as const;

export type Tab = (typeof TABS)[number];
export type Filter = (typeof FILTERS)[number];

/** What the panel shows of all that there is. */
export interface IView {
  readonly tab: Tab;
  readonly filter: Filter;
}

export type JobCounts = Readonly<Partial<Record<JobState, number>>>;

/** The jobs of a project, as one panel shows them. */
export class Jobs {
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

  /** How many there are of each state. */
  readonly counts = new Resource<JobCounts>(signal =>
    ask(
      api.GET('/jobs/states', {
        params: { query: { path: this.workbench.path } },
        signal
      })
    )
  );

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

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  show(view: Partial<IView>): void {
    const isOther = view.filter !== undefined && view.filter !== this._view.filter;
    this._view = { ...this._view, ...view };
    if (isOther) {
      this.pages.clear();
    }
    this._changed.emit();
    this.load();
  }

  /** Read what the open tab shows. */
  load(): void {
    switch (this._view.tab) {
      case 'jobs':
        void this.pages.load();
        void this.running.load();
        void this.counts.load();
        return;
      case 'failures':
        return void this.failures.load();
      case 'schedules':
        return void this.schedules.load();
    }
  }

  clear(): void {
    [this.pages, this.running, this.counts, this.failures, this.schedules].forEach(
      each => each.clear()
    );
  }

  private _view: IView = { tab: 'jobs', filter: 'all' };
  private readonly _changed = new Signal<this, void>(this);
}

/** What the parts of the panel are given. */
export interface IJobsProps {
  readonly jobs: Jobs;
  readonly actions: Actions;
  readonly trans: TranslationBundle;
}

/** Follow in a React component which tab is open. */
export function useView(jobs: Jobs): IView {
  return useSeen(jobs, () => jobs.view);
}
