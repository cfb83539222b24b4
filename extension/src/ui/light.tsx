/**
 * How a model fares: a colour, a sign and a word, for no one of them is enough for everybody.
 */
import { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { Tone } from '../api/types';

const SIGNS: Readonly<Record<Tone, string>> = {
  ok: '✓',
  warning: '!',
  alert: '✕',
  insufficient: '?',
  unwatched: '–'
};

/** A sign in the colour of what it says. */
export function Sign(props: { readonly tone: Tone }): JSX.Element {
  return (
    <span className="jp-Workbench-sign" data-tone={props.tone} aria-hidden="true">
      {SIGNS[props.tone]}
    </span>
  );
}

/** The sign with its word. */
export function Light(props: {
  readonly tone: Tone;
  readonly trans: TranslationBundle;
}): JSX.Element {
  const { tone, trans } = props;
  return (
    <span className="jp-Workbench-light" data-tone={tone}>
      <Sign tone={tone} />
      {toneName(tone, trans)}
    </span>
  );
}

export function toneName(tone: Tone, trans: TranslationBundle): string {
  switch (tone) {
    case 'ok':
      return trans.__('ok');
    case 'warning':
      return trans.__('warning');
    case 'alert':
      return trans.__('alert');
    case 'insufficient':
      return trans.__('too few rows');
    case 'unwatched':
      return trans.__('not watched');
  }
}
