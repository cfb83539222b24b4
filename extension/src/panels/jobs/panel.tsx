import { TranslationBundle } from '@jupyterlab/translation';
import React, { KeyboardEvent } from 'react';

import { Panel } from '../../panel';
import { IContext } from '../../plugin';
import { Workbench } from '../../workbench';
import { Actions } from './actions';
import { Failures } from './failures';
import { JobList } from './list';
import { Schedules } from './schedules';
import { IJobsProps, Jobs, Tab, TABS, useView } from './store';

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

function JobsView(props: IJobsProps): JSX.Element {
  const { jobs, trans } = props;
  const { tab } = useView(jobs);
  return (
    <div className="jp-Workbench-jobs">
      <Tabs {...props} />
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
