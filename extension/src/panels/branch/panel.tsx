import { TranslationBundle } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import { Throttler } from '@lumino/polling';
import React from 'react';

import { api, ask } from '../../api/client';
import { Resource, useResource } from '../../api/resource';
import { IBranch, IBranches, IScores } from '../../api/types';
import { Panel } from '../../panel';
import { IContext } from '../../plugin';
import { branchIcon } from '../../ui/icons';
import { Empty, Shown } from '../../ui/parts';
import { Actions } from './actions';
import { Branches } from './branches';
import { Changes } from './changes';
import { CommandIDs } from './commands';
import { OpenDocuments } from './documents';
import { distance, Score } from './score';

/** How often runs are counted again while runs go on, in milliseconds. */
const COUNTING = 5000;

export interface IBranchProps {
  readonly branch: Resource<IBranch>;
  readonly branches: Resource<IBranches>;
  readonly scores: Resource<IScores>;
  readonly actions: Actions;
  readonly commands: CommandRegistry;
  readonly openFile: (path: string) => void;
  readonly trans: TranslationBundle;
}

/** Where the code stands: the branch, what isn't committed, and the other branches. */
export function branchPanel({ app, workbench, commands, trans }: IContext): Panel {
  const query = (): { path: string } => ({ path: workbench.path });
  const branch = new Resource(signal =>
    ask(api.GET('/branch', { params: { query: query() }, signal }))
  );
  const branches = new Resource(signal =>
    ask(api.GET('/branches', { params: { query: query() }, signal }))
  );
  const scores = new Resource(signal =>
    ask(api.GET('/branches/scores', { params: { query: query() }, signal }))
  );
  const documents = new OpenDocuments(app, workbench, trans);
  const actions = new Actions(workbench, documents, trans);
  const openFile = (file: string): void => {
    const path = documents.pathOf(file);
    if (path !== null) {
      void commands.execute('docmanager:open', { path });
    }
  };
  const all = [branch, branches, scores];
  const props = { branch, branches, scores, actions, commands, openFile, trans };
  const panel = new Panel({
    id: 'branch',
    workbench,
    topics: ['branch'],
    load: () => Promise.all(all.map(one => one.load())),
    clear: () => all.forEach(one => one.clear()),
    render: () => <Branch {...props} />
  });
  branch.changed.connect(() => {
    const count = branch.state.kind === 'ready' ? branch.state.value.changed.length : 0;
    panel.badge = count ? String(count) : '';
  });
  const counter = new Throttler(() => scores.load(), COUNTING);
  workbench.changed.connect(function (this: Panel, _, topics) {
    if (topics.includes('runs') && this.isVisible) {
      void counter.invoke();
    }
  }, panel);
  return panel;
}

function Branch(props: IBranchProps): JSX.Element {
  const { branch, trans } = props;
  return (
    <Shown
      resource={branch}
      trans={trans}
      whenEmpty={status => whenOutsideGit(status, trans)}
    >
      {status => (
        <>
          <Head {...props} status={status} />
          <Changes {...props} files={status.changed} />
          <Branches {...props} here={status.branch} />
        </>
      )}
    </Shown>
  );
}

function whenOutsideGit(status: IBranch, trans: TranslationBundle): JSX.Element | null {
  const isOutside = !status.branch && !status.commit;
  return isOutside ? (
    <Empty>
      {trans.__('This project is not under Git: type `git init` in a terminal.')}
    </Empty>
  ) : null;
}

function Head(props: IBranchProps & { readonly status: IBranch }): JSX.Element {
  const { status, actions, commands, trans } = props;
  const listed = useResource(props.branches);
  const every = listed.kind === 'error' ? undefined : listed.value;
  const here = every?.branches.find(one => one.name === status.branch);
  const far = every && here && distance(here, every.protected, trans);
  return (
    <header className="jp-Workbench-branchHead">
      <div className="jp-Workbench-branch">
        <branchIcon.react tag="span" className="jp-Workbench-icon" />
        <span className="jp-Workbench-name" title={status.branch ?? undefined}>
          {status.branch ?? trans.__('no branch (detached)')}
        </span>
        {status.commit ? (
          <code title={trans.__('Commit %1', status.commit)}>
            {status.commit.slice(0, 7)}
          </code>
        ) : (
          <span className="jp-Workbench-muted">{trans.__('no commit yet')}</span>
        )}
      </div>
      {every && (
        <p className="jp-Workbench-muted">
          {trans.__('experiment %1', every.experiment)}
        </p>
      )}
      {here && (
        <p className="jp-Workbench-muted">
          {far && `${far} · `}
          <Score name={here.name} scores={props.scores} trans={trans} />
        </p>
      )}
      {here?.has_kept_work && (
        <div className="jp-Workbench-keptWork" role="status">
          <p>{trans.__('Work that was kept here is not back yet.')}</p>
          <button
            className="jp-Workbench-button"
            disabled={!actions.mayWrite}
            onClick={() => void actions.bringBack()}
          >
            {trans.__('Bring it back')}
          </button>
        </div>
      )}
      <div className="jp-Workbench-branchButtons">
        <button
          className="jp-Workbench-button"
          disabled={!actions.mayWrite}
          onClick={() => void actions.start()}
        >
          {trans.__('Start a branch')}
        </button>
        <button
          className="jp-Workbench-button"
          onClick={() => void commands.execute(CommandIDs.leaderboard)}
        >
          {trans.__('Leaderboard')}
        </button>
      </div>
      {actions.whyNot && <p className="jp-Workbench-muted">{actions.whyNot}</p>}
    </header>
  );
}
