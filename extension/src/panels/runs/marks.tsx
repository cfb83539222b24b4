/**
 * What people say of a run: a note, and tags of their own.
 */
import { TranslationBundle } from '@jupyterlab/translation';
import { addIcon, closeIcon, editIcon } from '@jupyterlab/ui-components';
import React, { FormEvent, useState } from 'react';

import { IRun } from '../../api/types';
import { RunActions } from './actions';
import { RunsModel } from './model';
import { ownTags, TAGS } from './words';

export interface IMarksProps {
  readonly run: IRun;
  readonly model: RunsModel;
  readonly actions: RunActions;
  readonly trans: TranslationBundle;
}

export function Note(props: IMarksProps): JSX.Element | null {
  const { run, model, actions, trans } = props;
  const note = run.tags[TAGS.note] ?? '';
  const [draft, setDraft] = useState<string | null>(null);
  if (draft === null) {
    if (!model.mayWrite) {
      return note ? <p className="jp-Workbench-note">{note}</p> : null;
    }
    return (
      <div className="jp-Workbench-note">
        {note && <p>{note}</p>}
        <button className="jp-Workbench-link" onClick={() => setDraft(note)}>
          <editIcon.react tag="span" className="jp-Workbench-icon" />
          {note ? trans.__('Change the note') : trans.__('Add a note')}
        </button>
      </div>
    );
  }
  const save = (event: FormEvent): void => {
    event.preventDefault();
    void actions.attempt(async () => {
      await model.mark(run, { note: draft });
      setDraft(null);
    });
  };
  return (
    <form className="jp-Workbench-note" onSubmit={save}>
      <textarea
        aria-label={trans.__('Note on %1', run.name)}
        rows={3}
        maxLength={5000}
        autoFocus
        value={draft}
        onChange={event => setDraft(event.target.value)}
        onKeyDown={event => {
          if (event.key === 'Escape') {
            setDraft(null);
          } else if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
            save(event);
          }
        }}
      />
      <div className="jp-Workbench-runActions">
        <button type="submit" className="jp-Workbench-button">
          {trans.__('Save')}
        </button>
        <button
          type="button"
          className="jp-Workbench-button"
          onClick={() => setDraft(null)}
        >
          {trans.__('Cancel')}
        </button>
      </div>
    </form>
  );
}

export function Tags(props: IMarksProps): JSX.Element | null {
  const { run, model, actions, trans } = props;
  const tags = ownTags(run);
  const change = (key: string, value: string | null): Promise<void> =>
    actions.attempt(() => model.mark(run, { tags: { [key]: value } }));
  if (!tags.length && !model.mayWrite) {
    return null;
  }
  return (
    <div className="jp-Workbench-tags" role="group" aria-label={trans.__('Tags')}>
      {tags.map(([key, value]) => (
        <span key={key} className="jp-Workbench-tag" title={`${key} = ${value}`}>
          <span>{value ? `${key}: ${value}` : key}</span>
          {model.mayWrite && (
            <button
              aria-label={trans.__('Take away the tag %1', key)}
              title={trans.__('Take it away')}
              onClick={() => void change(key, null)}
            >
              <closeIcon.react tag="span" className="jp-Workbench-icon" />
            </button>
          )}
        </span>
      ))}
      {model.mayWrite && <NewTag add={change} trans={trans} />}
    </div>
  );
}

function NewTag(props: {
  readonly add: (key: string, value: string) => Promise<void>;
  readonly trans: TranslationBundle;
}): JSX.Element {
  const { add, trans } = props;
  const [text, setText] = useState<string | null>(null);
  if (text === null) {
    return (
      <button className="jp-Workbench-link" onClick={() => setText('')}>
        <addIcon.react tag="span" className="jp-Workbench-icon" />
        {trans.__('Tag')}
      </button>
    );
  }
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const [key, ...value] = text.split('=');
    if (key.trim()) {
      void add(key.trim(), value.join('=').trim());
    }
    setText(null);
  };
  return (
    <form onSubmit={submit}>
      <input
        className="jp-Workbench-filter"
        aria-label={trans.__('New tag')}
        placeholder={trans.__('name=value')}
        autoFocus
        value={text}
        onChange={event => setText(event.target.value)}
        onKeyDown={event => event.key === 'Escape' && setText(null)}
      />
    </form>
  );
}
