/**
 * How jobs and cells stand: a sign and a word, so that nobody has to tell colours apart.
 */
import { TranslationBundle } from '@jupyterlab/translation';
import React, { useEffect, useReducer } from 'react';

import { IJob, JobState } from '../../api/types';

const SECOND = 1000;

const SIGNS: Readonly<Record<string, string>> = {
  queued: '○',
  claimed: '○',
  pending: '○',
  running: '▸',
  started: '▸',
  succeeded: '✓',
  completed: '✓',
  failed: '✕',
  cancelled: '⊘',
  skipped: '⊘',
  missed: '⊘',
  lost: '?'
};

/** The state as a sign, with its word for those who hear it. */
export function Sign(props: {
  readonly state: string;
  readonly trans: TranslationBundle;
}): JSX.Element {
  const { state, trans } = props;
  return (
    <span
      className="jp-Workbench-jobSign"
      data-state={state}
      role="img"
      aria-label={stateName(state, trans)}
      title={stateName(state, trans)}
    >
      {SIGNS[state] ?? '·'}
    </span>
  );
}

/** The word for a state of a job, a cell or a tick. */
export function stateName(state: string, trans: TranslationBundle): string {
  switch (state) {
    case 'queued':
    case 'claimed':
      return trans.__('Waiting');
    case 'running':
    case 'started':
      return trans.__('Running');
    case 'succeeded':
      return trans.__('Succeeded');
    case 'completed':
      return trans.__('Completed');
    case 'failed':
      return trans.__('Failed');
    case 'cancelled':
      return trans.__('Cancelled');
    case 'lost':
      return trans.__('Lost');
    case 'pending':
      return trans.__('Not run');
    case 'skipped':
      return trans.__('Skipped');
    case 'missed':
      return trans.__('Missed');
    default:
      return state;
  }
}

/** Whether there is still something to come. */
export function isOpen(state: JobState): boolean {
  return state === 'queued' || state === 'running';
}

/** How far a job is, as a bar; null where it hasn't begun. */
export function Bar(props: {
  readonly job: IJob;
  readonly trans: TranslationBundle;
}): JSX.Element | null {
  const { job, trans } = props;
  if (!job.cells) {
    return null;
  }
  const words = trans.__('%1 of %2 cells', job.cell, job.cells);
  return (
    <progress
      className="jp-Workbench-jobBar"
      value={job.cell}
      max={job.cells}
      aria-label={words}
      title={words}
    />
  );
}

/** What a job was given, in one line. */
export function purpose(job: IJob): string {
  const given = Object.entries(job.params).map(
    ([name, value]) =>
      `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`
  );
  return job.label || given.join(', ');
}

/** How long something took: `1 min 5 s`. */
function took(from: string | null, to: string | null): string {
  if (!from) {
    return '';
  }
  const end = to ? new Date(to) : new Date();
  const seconds = Math.max(0, (end.getTime() - new Date(from).getTime()) / 1000);
  return duration(seconds);
}

export function duration(seconds: number): string {
  if (seconds < 10) {
    return `${seconds.toFixed(1)} s`;
  }
  const whole = Math.round(seconds);
  const minutes = Math.floor(whole / 60);
  if (!minutes) {
    return `${whole} s`;
  }
  return minutes < 60
    ? `${minutes} min ${whole % 60} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** How long a job has taken; while it runs, the clock goes on. */
export function Clock(props: { readonly job: IJob }): JSX.Element {
  const { started_at: from, finished_at: to } = props.job;
  const [, tick] = useReducer((ticks: number) => ticks + 1, 0);
  const goesOn = from !== null && to === null;
  useEffect(() => {
    const clock = goesOn ? setInterval(tick, SECOND) : undefined;
    return () => clearInterval(clock);
  }, [goesOn]);
  return <>{took(from, to)}</>;
}
