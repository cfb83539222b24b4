/**
 * A place that both branches changed, with the answers that it can be given.
 */
import { TranslationBundle } from '@jupyterlab/translation';
import React, { useId } from 'react';

import { Choice, IConflict } from '../../../api/types';
import { compareTexts, Lines } from './lines';

type Side = Extract<Choice, string>;
type Answer = Side | 'own';

/** What each kind of conflict can be answered by; a file's differ from a cell's. */
const ANSWERS: Record<IConflict['kind'], readonly Answer[]> = {
  source: ['ours', 'theirs', 'both', 'base', 'own'],
  deleted: ['ours', 'theirs', 'base', 'own'],
  added: ['ours', 'theirs', 'both', 'own'],
  order: ['ours', 'theirs'],
  metadata: ['ours', 'theirs', 'base'],
  text: ['ours', 'theirs', 'both', 'base', 'own'],
  binary: ['ours', 'theirs', 'base'],
  repository: ['ours', 'theirs', 'base']
};

export function Conflict(props: {
  readonly conflict: IConflict;
  /** The names of the branches. */
  readonly sides: { readonly ours: string; readonly theirs: string };
  readonly choice: Choice | null;
  readonly choose: (choice: Choice) => void;
  readonly trans: TranslationBundle;
}): JSX.Element {
  const { conflict, sides, choice, choose, trans } = props;
  const { base, ours, theirs, kind } = conflict;
  const group = useId();
  const chosen: Answer | null =
    typeof choice === 'object' && choice ? 'own' : (choice as Side | null);
  const words: Record<Answer, string> = {
    ours: trans.__('As in %1', sides.ours),
    theirs: trans.__('As in %1', sides.theirs),
    both: trans.__('Both, one after the other'),
    base: trans.__('As before both'),
    own: trans.__('My own words')
  };
  const answer = (one: Answer): void =>
    choose(one === 'own' ? { text: ours ?? theirs ?? '' } : one);
  const radio = (one: Answer): JSX.Element => (
    <label key={one} className="jp-Workbench-answer">
      <input
        type="radio"
        name={group}
        checked={chosen === one}
        onChange={() => answer(one)}
      />
      {words[one]}
    </label>
  );
  const side = (which: 'ours' | 'theirs', text: string | null): JSX.Element => (
    <div
      className="jp-Workbench-conflictSide"
      data-chosen={chosen === which || chosen === 'both'}
    >
      {radio(which)}
      <Text text={text} base={base} kind={kind} label={words[which]} trans={trans} />
    </div>
  );
  return (
    <fieldset className="jp-Workbench-conflict" data-answered={chosen !== null}>
      <legend>
        <b>{conflict.path}</b> {titleOf(conflict, trans)}
      </legend>
      <div className="jp-Workbench-conflictSides">
        {side('ours', ours)}
        {side('theirs', theirs)}
      </div>
      <div className="jp-Workbench-conflictOthers">
        {ANSWERS[kind].filter(one => one !== 'ours' && one !== 'theirs').map(radio)}
      </div>
      {typeof choice === 'object' && choice && (
        <textarea
          className="jp-Workbench-conflictOwn"
          aria-label={words.own}
          rows={Math.min(20, choice.text.split('\n').length + 1)}
          value={choice.text}
          spellCheck={false}
          onChange={event => choose({ text: event.target.value })}
        />
      )}
    </fieldset>
  );
}

/** A side's text, with what it changed of the base. */
function Text(props: {
  readonly text: string | null;
  readonly base: string | null;
  readonly kind: IConflict['kind'];
  readonly label: string;
  readonly trans: TranslationBundle;
}): JSX.Element {
  const { text, base, kind, label, trans } = props;
  if (text === null) {
    const isThere = kind === 'binary' || kind === 'repository';
    return (
      <p className="jp-Workbench-muted">
        {isThere ? trans.__('(can’t be shown)') : trans.__('(not there)')}
      </p>
    );
  }
  return (
    <Lines
      lines={compareTexts(base ?? '', text)}
      label={label}
      trans={trans}
      isNarrow
    />
  );
}

function titleOf(conflict: IConflict, trans: TranslationBundle): string {
  switch (conflict.kind) {
    case 'source':
      return trans.__('A cell that both changed');
    case 'deleted':
      return conflict.cell_id === null
        ? trans.__('One deleted it, the other changed it')
        : trans.__('A cell that one deleted and the other changed');
    case 'added':
      return trans.__('Both added it, not the same');
    case 'order':
      return trans.__('Both moved the cells, not the same way');
    case 'metadata':
      return trans.__('Metadata that both changed');
    case 'text':
      return trans.__('Lines that both changed');
    case 'binary':
      return trans.__('Both changed it, and it is no text');
    case 'repository':
      return trans.__('A submodule that both changed');
  }
}
