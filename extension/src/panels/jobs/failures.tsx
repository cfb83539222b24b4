import { PathExt } from '@jupyterlab/coreutils';
import { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { Resource } from '../../api/resource';
import { IFailureGroup } from '../../api/types';
import { Empty, Shown } from '../../ui/parts';
import { Actions } from './actions';
import { stateName } from './states';

const EXAMPLES = 5;

/** What went wrong, told once for each cell and kind of failure. */
export function Failures(props: {
  readonly failures: Resource<readonly IFailureGroup[]>;
  readonly actions: Actions;
  readonly trans: TranslationBundle;
}): JSX.Element {
  const { failures, actions, trans } = props;
  return (
    <Shown
      resource={failures}
      trans={trans}
      whenEmpty={groups =>
        groups.length ? null : <Empty>{trans.__('No job has failed.')}</Empty>
      }
    >
      {groups => (
        <ul className="jp-Workbench-groups">
          {groups.map(group => (
            <Group
              key={`${group.notebook} ${group.cell} ${group.failure} ${group.exception}`}
              group={group}
              actions={actions}
              trans={trans}
            />
          ))}
        </ul>
      )}
    </Shown>
  );
}

function Group(props: {
  readonly group: IFailureGroup;
  readonly actions: Actions;
  readonly trans: TranslationBundle;
}): JSX.Element {
  const { group, actions, trans } = props;
  const { jobs } = group;
  const name = PathExt.basename(group.notebook, '.ipynb');
  return (
    <li className="jp-Workbench-group">
      <div className="jp-Workbench-line">
        <span className="jp-Workbench-jobSign" data-state="failed" aria-hidden="true">
          ✕
        </span>
        <span className="jp-Workbench-name" title={group.exception}>
          {group.exception || stateName(group.failure ?? 'failed', trans)}
        </span>
        <span className="jp-Workbench-time">
          {trans._n('%1 job', '%1 jobs', jobs.length, jobs.length)}
        </span>
      </div>
      <div className="jp-Workbench-groupMore">
        <p className="jp-Workbench-muted" title={group.notebook}>
          {group.cell === null ? name : trans.__('%1, cell %2', name, group.cell)}
        </p>
        {group.example && <p className="jp-Workbench-jobSaid">{group.example}</p>}
        <p className="jp-Workbench-groupJobs">
          {jobs.slice(0, EXAMPLES).map(id => (
            <button
              key={id}
              className="jp-Workbench-link"
              aria-label={trans.__('Open job %1', id)}
              onClick={() => actions.open(id)}
            >
              {id.slice(-8)}
            </button>
          ))}
          {jobs.length > EXAMPLES && (
            <span className="jp-Workbench-muted">
              {trans.__('and %1 more', jobs.length - EXAMPLES)}
            </span>
          )}
        </p>
        <button
          className="jp-Workbench-button"
          disabled={!!actions.whyNot}
          title={actions.whyNot}
          onClick={() => void actions.resume({ ids: [...jobs] })}
        >
          {trans._n('Try it again', 'Try all %1 again', jobs.length, jobs.length)}
        </button>
      </div>
    </li>
  );
}
