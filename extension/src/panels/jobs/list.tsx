import { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { useResource } from '../../api/resource';
import { JobState } from '../../api/types';
import { jobIcon } from '../../ui/icons';
import { List } from '../../ui/list';
import { Empty } from '../../ui/parts';
import { JobRow } from './rows';
import { Filter, FILTERS, IJobsProps, JobCounts, useView } from './store';

const HEIGHT = 44;

const STATES: Readonly<Record<Filter, readonly JobState[]>> = {
  all: ['queued', 'running', 'succeeded', 'failed', 'cancelled', 'lost'],
  open: ['queued', 'running'],
  bad: ['failed', 'lost'],
  done: ['succeeded']
};

/** The jobs, newest first; those that run say how far they are. */
export function JobList(props: IJobsProps): JSX.Element {
  const { jobs, actions, trans } = props;
  const { filter } = useView(jobs);
  const running = useResource(jobs.running);
  const live = new Map(
    (running.kind === 'error' ? [] : (running.value ?? [])).map(job => [job.id, job])
  );
  return (
    <List
      pages={jobs.pages}
      trans={trans}
      label={trans.__('Jobs')}
      keyOf={job => job.id}
      height={HEIGHT}
      tools={<Tools {...props} />}
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

/** Which of them, and how there come to be more. */
function Tools({ jobs, actions, trans }: IJobsProps): JSX.Element {
  const { filter } = useView(jobs);
  const counts = useResource(jobs.counts);
  const known = counts.kind === 'error' ? undefined : counts.value;
  return (
    <div className="jp-Workbench-jobTools">
      <select
        className="jp-Workbench-jobChoice"
        aria-label={trans.__('Which jobs')}
        value={filter}
        onChange={event => jobs.show({ filter: event.target.value as Filter })}
      >
        {FILTERS.map(each => (
          <option key={each} value={each}>
            {filterName(each, trans)}
            {known && ` (${count(each, known)})`}
          </option>
        ))}
      </select>
      <button
        className="jp-Workbench-button"
        disabled={!!actions.whyNot}
        title={actions.whyNot ?? trans.__('Run as Job')}
        onClick={() => actions.runCurrent()}
      >
        <jobIcon.react tag="span" className="jp-Workbench-icon" />
        <span className="jp-Workbench-jobWord">{trans.__('Run as Job')}</span>
      </button>
    </div>
  );
}

function count(filter: Filter, counts: JobCounts): string {
  const found = STATES[filter].reduce((sum, state) => sum + (counts[state] ?? 0), 0);
  return found.toLocaleString();
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
