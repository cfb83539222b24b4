/**
 * What a run's fields are called on the screen, and what a run has of each.
 */
import { TranslationBundle } from '@jupyterlab/translation';

import { IRun, Metric } from '../../api/types';
import { round } from '../../ui/format';

/** Tags in which runs say where they are from. */
export const TAGS = {
  branch: 'mlflow.source.git.branch',
  commit: 'mlflow.source.git.commit',
  job: 'workbench.job',
  notebook: 'mlflow.source.name',
  note: 'mlflow.note.content',
  pinned: 'workbench.pinned',
  snapshot: 'workbench.snapshot'
} as const;

/** Those that tools write: people's own are the others. */
const TOOLS = ['mlflow.', 'workbench.', 'execution.', 'estimator_'];

export function isPinned(run: IRun): boolean {
  return TAGS.pinned in run.tags;
}

export function ownTags(run: IRun): readonly (readonly [string, string])[] {
  return Object.entries(run.tags).filter(
    ([key]) => !TOOLS.some(tool => key.startsWith(tool))
  );
}

/** The value in a column: `metrics.roc_auc`, `params.depth`, `tags.team`, `run.branch`. */
export function valueOf(run: IRun, column: string): Metric | undefined {
  const cut = column.indexOf('.');
  const [kind, key] = [column.slice(0, cut), column.slice(cut + 1)];
  switch (kind) {
    case 'metrics':
      return run.metrics[key];
    case 'params':
      return run.params[key] as Metric | undefined;
    case 'tags':
      return run.tags[key] as Metric | undefined;
    default:
      return ofRun(run, key) as Metric | undefined;
  }
}

function ofRun(run: IRun, key: string): string | undefined {
  switch (key) {
    case 'branch':
      return run.tags[TAGS.branch];
    case 'notebook':
      return run.tags[TAGS.notebook];
    case 'user':
      return run.user || undefined;
    case 'duration':
      return run.end_time ? duration(run.start_time, run.end_time) : undefined;
    default:
      return undefined;
  }
}

/** Write a value, of which the title holds all: a number rounded, a dash for nothing. */
export function written(value: string | number | null | undefined): string {
  return typeof value === 'number' ? round(value) : (value ?? '–');
}

/** The name over a column. */
export function columnName(column: string, trans: TranslationBundle): string {
  switch (column) {
    case 'run.branch':
      return trans.__('Branch');
    case 'run.notebook':
      return trans.__('Notebook');
    case 'run.user':
      return trans.__('User');
    case 'run.duration':
      return trans.__('Took');
    default:
      return column.slice(column.indexOf('.') + 1);
  }
}

/** How long it was between two ISO times: `1:05` minutes, `2:00:10` hours. */
function duration(begin: string, end: string): string {
  const seconds = Math.max(0, Math.round((Date.parse(end) - Date.parse(begin)) / 1000));
  const two = (value: number): string => String(value).padStart(2, '0');
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const rest = two(seconds % 60);
  return hours ? `${hours}:${two(minutes)}:${rest}` : `${minutes}:${rest}`;
}

export function statusName(status: string, trans: TranslationBundle): string {
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
