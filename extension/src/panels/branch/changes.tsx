/**
 * What isn't committed: looked at, chosen, committed or discarded.
 */
import { TranslationBundle } from '@jupyterlab/translation';
import { editIcon, undoIcon } from '@jupyterlab/ui-components';
import React, { useId, useState } from 'react';

import { ChangeState, IChangedFile } from '../../api/types';
import { Empty, Limited } from '../../ui/parts';
import { CommandIDs } from './commands';
import type { IBranchProps } from './panel';

const FILES = 12;

interface IChangesProps extends IBranchProps {
  readonly files: readonly IChangedFile[];
}

export function Changes(props: IChangesProps): JSX.Element {
  const { files, actions, trans } = props;
  const [left, setLeft] = useState<ReadonlySet<string>>(new Set());
  const chosen = files.filter(file => !left.has(file.path));
  const choose = (path: string, isChosen: boolean): void => {
    const next = new Set(left);
    if (isChosen) {
      next.delete(path);
    } else {
      next.add(path);
    }
    setLeft(next);
  };
  const heading = useId();
  return (
    <section aria-labelledby={heading}>
      <div className="jp-Workbench-sectionHead">
        <h3 id={heading}>{trans.__('Changes')}</h3>
        {files.length > 1 && actions.mayWrite && (
          <>
            <button
              className="jp-Workbench-link"
              onClick={() =>
                setLeft(chosen.length ? new Set(files.map(one => one.path)) : new Set())
              }
            >
              {chosen.length ? trans.__('Choose none') : trans.__('Choose all')}
            </button>
            <IconButton
              icon={undoIcon}
              label={trans.__('Discard the chosen changes')}
              disabled={!chosen.length}
              onClick={() => void actions.discard(chosen)}
            />
          </>
        )}
      </div>
      {files.length ? (
        <>
          <Limited items={files} limit={FILES} trans={trans}>
            {file => (
              <ChangedFile
                key={file.path}
                {...props}
                file={file}
                isChosen={!left.has(file.path)}
                choose={isChosen => choose(file.path, isChosen)}
              />
            )}
          </Limited>
          {actions.mayWrite && <Commit {...props} chosen={chosen} />}
        </>
      ) : (
        <Empty>{trans.__('Everything is committed.')}</Empty>
      )}
    </section>
  );
}

function Commit(
  props: IChangesProps & { readonly chosen: readonly IChangedFile[] }
): JSX.Element {
  const { chosen, actions, trans } = props;
  const [message, setMessage] = useState('');
  const [isBusy, setBusy] = useState(false);
  const commit = async (): Promise<void> => {
    setBusy(true);
    if (await actions.commit(chosen, message)) {
      setMessage('');
    }
    setBusy(false);
  };
  const canCommit = chosen.length > 0 && message.trim() !== '' && !isBusy;
  return (
    <form
      className="jp-Workbench-commit"
      onSubmit={event => {
        event.preventDefault();
        if (canCommit) {
          void commit();
        }
      }}
    >
      <textarea
        className="jp-Workbench-commitMessage"
        rows={2}
        aria-label={trans.__('Message of the commit')}
        placeholder={trans.__('What was done, and why')}
        value={message}
        onChange={event => setMessage(event.target.value)}
        onKeyDown={event => {
          if (event.key === 'Enter' && (event.ctrlKey || event.metaKey) && canCommit) {
            event.preventDefault();
            void commit();
          }
        }}
      />
      <button
        type="submit"
        className="jp-Workbench-button jp-mod-primary"
        disabled={!canCommit}
        aria-busy={isBusy}
        title={trans.__('Commit (Ctrl+Enter in the message)')}
      >
        {chosen.length
          ? trans._n('Commit one file', 'Commit %1 files', chosen.length, chosen.length)
          : trans.__('Commit')}
      </button>
    </form>
  );
}

function ChangedFile(
  props: IChangesProps & {
    readonly file: IChangedFile;
    readonly isChosen: boolean;
    readonly choose: (isChosen: boolean) => void;
  }
): JSX.Element {
  const { file, actions, commands, openFile, trans } = props;
  const { path, state, was } = file;
  const { letter, word } = inWords(state, trans);
  const cut = path.lastIndexOf('/', path.length - 2) + 1;
  const isFolder = path.endsWith('/');
  return (
    <li className="jp-Workbench-changed" data-state={state}>
      {actions.mayWrite && (
        <input
          type="checkbox"
          aria-label={trans.__('Choose %1', path)}
          checked={props.isChosen}
          onChange={event => props.choose(event.target.checked)}
        />
      )}
      <button
        className="jp-Workbench-changedName"
        title={path}
        disabled={isFolder}
        onClick={() =>
          void commands.execute(CommandIDs.diff, { file: path, was: was ?? '' })
        }
      >
        <span className="jp-Workbench-changedBase">{path.slice(cut)}</span>
        <span className="jp-Workbench-muted">{path.slice(0, cut)}</span>
      </button>
      <span className="jp-Workbench-changedTools">
        {state !== 'deleted' && !isFolder && (
          <IconButton
            icon={editIcon}
            label={trans.__('Open %1', path)}
            hint={trans.__('Open')}
            onClick={() => openFile(path)}
          />
        )}
        {actions.mayWrite && (
          <IconButton
            icon={undoIcon}
            label={trans.__('Discard the changes of %1', path)}
            hint={trans.__('Discard the changes')}
            onClick={() => void actions.discard([file])}
          />
        )}
      </span>
      <abbr title={word}>{letter}</abbr>
    </li>
  );
}

function IconButton(props: {
  readonly icon: typeof undoIcon;
  readonly label: string;
  /** What a mouse sees; the label if it isn't given. */
  readonly hint?: string;
  readonly disabled?: boolean;
  readonly onClick: () => void;
}): JSX.Element {
  const { icon, label, hint, disabled, onClick } = props;
  return (
    <button
      className="jp-Workbench-iconButton"
      aria-label={label}
      title={hint ?? label}
      disabled={disabled}
      onClick={onClick}
    >
      <icon.react tag="span" className="jp-Workbench-icon" />
    </button>
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
