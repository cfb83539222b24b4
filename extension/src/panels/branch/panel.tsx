import { PathExt } from '@jupyterlab/coreutils';
import { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { api, ask } from '../../api/client';
import { Resource } from '../../api/resource';
import { ChangeState, IBranch, IChangedFile } from '../../api/types';
import { Panel } from '../../panel';
import { IContext } from '../../plugin';
import { branchIcon } from '../../ui/icons';
import { Empty, Limited, Shown } from '../../ui/parts';

const FILES = 8;

/** Where the code stands: branch, commit, and what isn't committed. */
export function branchPanel({ workbench, commands, trans }: IContext): Panel {
  const branch = new Resource(signal =>
    ask(api.GET('/branch', { params: { query: { path: workbench.path } }, signal }))
  );
  const openFile = (path: string): void => {
    const { state } = workbench.project;
    if (state.kind === 'ready' && state.value.folder !== null) {
      const file = PathExt.join(state.value.folder, path);
      void commands.execute('docmanager:open', { path: file });
    }
  };
  return new Panel({
    id: 'branch',
    workbench,
    topics: ['branch'],
    load: () => branch.load(),
    clear: () => branch.clear(),
    render: () => <Branch branch={branch} openFile={openFile} trans={trans} />
  });
}

function Branch(props: {
  readonly branch: Resource<IBranch>;
  readonly openFile: (path: string) => void;
  readonly trans: TranslationBundle;
}): JSX.Element {
  const { branch, openFile, trans } = props;
  return (
    <Shown
      resource={branch}
      trans={trans}
      whenEmpty={status => whenOutsideGit(status, trans)}
    >
      {status => (
        <>
          <Head status={status} trans={trans} />
          {status.changed.length ? (
            <Limited items={status.changed} limit={FILES} trans={trans}>
              {file => (
                <ChangedFile
                  key={file.path}
                  file={file}
                  open={openFile}
                  trans={trans}
                />
              )}
            </Limited>
          ) : (
            <Empty>{trans.__('Everything is committed.')}</Empty>
          )}
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

function Head(props: {
  readonly status: IBranch;
  readonly trans: TranslationBundle;
}): JSX.Element {
  const { status, trans } = props;
  return (
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
  );
}

function ChangedFile(props: {
  readonly file: IChangedFile;
  readonly open: (path: string) => void;
  readonly trans: TranslationBundle;
}): JSX.Element {
  const { open } = props;
  const { path, state } = props.file;
  const { letter, word } = inWords(state, props.trans);
  const cut = path.lastIndexOf('/', path.length - 2) + 1;
  const isGone = state === 'deleted';
  const isFolder = path.endsWith('/');
  return (
    <li className="jp-Workbench-file" data-state={state}>
      <button
        className="jp-Workbench-fileName"
        title={path}
        disabled={isGone || isFolder}
        onClick={() => open(path)}
      >
        <span className="jp-Workbench-fileBase">{path.slice(cut)}</span>
        <span className="jp-Workbench-muted">{path.slice(0, cut)}</span>
      </button>
      <abbr title={word}>{letter}</abbr>
    </li>
  );
}

function inWords(
  state: ChangeState,
  trans: TranslationBundle
): { letter: string; word: string } {
  switch (state) {
    case 'added':
      return { letter: 'A', word: trans.__('Added') };
    case 'modified':
      return { letter: 'M', word: trans.__('Modified') };
    case 'deleted':
      return { letter: 'D', word: trans.__('Deleted') };
    case 'renamed':
      return { letter: 'R', word: trans.__('Renamed') };
    case 'unmerged':
      return { letter: '!', word: trans.__('In conflict') };
    case 'untracked':
      return { letter: 'U', word: trans.__('Untracked') };
  }
}
