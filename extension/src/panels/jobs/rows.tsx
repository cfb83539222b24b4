import { PathExt } from '@jupyterlab/coreutils';
import { TranslationBundle } from '@jupyterlab/translation';
import {
  LabIcon,
  notebookIcon,
  refreshIcon,
  stopIcon
} from '@jupyterlab/ui-components';
import React from 'react';

import { IJob } from '../../api/types';
import { Ago } from '../../ui/parts';
import { Actions } from './actions';
import { Bar, Clock, isOpen, purpose, Sign, stateName } from './states';

export interface IJobProps {
  readonly job: IJob;
  readonly actions: Actions;
  readonly trans: TranslationBundle;
}

/** One job of the list. */
export function JobRow(props: IJobProps): JSX.Element {
  const { job, actions, trans } = props;
  const said = standing(job, trans);
  return (
    <div className="jp-Workbench-job" data-state={job.state}>
      <Sign state={job.state} trans={trans} />
      <button
        className="jp-Workbench-jobName"
        title={job.notebook}
        onClick={() => actions.open(job)}
      >
        {PathExt.basename(job.notebook, '.ipynb')}
      </button>
      <span className="jp-Workbench-jobWhat jp-Workbench-muted" title={said}>
        {job.state === 'running' && <Bar job={job} trans={trans} />}
        <span>{said}</span>
      </span>
      <span className="jp-Workbench-jobTook jp-Workbench-muted">
        <Clock job={job} />
      </span>
      <Ago time={job.created_at} />
      <JobButtons {...props} />
    </div>
  );
}

/** What can be done with a job as it stands. */
export function JobButtons(props: IJobProps): JSX.Element {
  const { job, actions, trans } = props;
  const name = PathExt.basename(job.notebook, '.ipynb');
  return (
    <span className="jp-Workbench-jobButtons">
      {isOpen(job.state) && (
        <IconButton
          icon={stopIcon}
          label={trans.__('Cancel %1', name)}
          whyNot={actions.whyNot}
          onClick={() => void actions.cancel({ ids: [job.id] }, name)}
        />
      )}
      {!isOpen(job.state) && job.state !== 'succeeded' && (
        <IconButton
          icon={refreshIcon}
          label={trans.__('Try %1 again', name)}
          whyNot={actions.whyNot}
          onClick={() => void actions.resume({ ids: [job.id] })}
        />
      )}
      {job.output && (
        <IconButton
          icon={notebookIcon}
          label={trans.__('Open the executed notebook of %1', name)}
          onClick={() => actions.openExecuted(job)}
        />
      )}
    </span>
  );
}

function IconButton(props: {
  readonly icon: LabIcon;
  readonly label: string;
  readonly whyNot?: string;
  readonly onClick: () => void;
}): JSX.Element {
  const { icon, label, whyNot, onClick } = props;
  return (
    <button
      className="jp-Workbench-iconButton"
      title={whyNot ?? label}
      disabled={!!whyNot}
      aria-label={label}
      onClick={onClick}
    >
      <icon.react tag="span" className="jp-Workbench-icon" />
    </button>
  );
}

/** How a job stands in one line: why it failed, else what it is for. */
function standing(job: IJob, trans: TranslationBundle): string {
  const state = stateName(job.state, trans);
  if (job.error && (job.state === 'failed' || job.state === 'lost')) {
    return `${state}: ${job.error}`;
  }
  const what = purpose(job);
  return what ? `${state} · ${what}` : state;
}
