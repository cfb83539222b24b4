/**
 * What the sections are made of.
 */
import { TranslationBundle } from '@jupyterlab/translation';
import React, { ReactNode, useState } from 'react';

import { ApiError } from '../api/client';
import { Resource, useResource } from '../api/resource';
import { Metrics } from '../api/types';
import { ago, moment, round } from './format';

export interface IShownProps<T> {
  readonly resource: Resource<T>;
  readonly trans: TranslationBundle;
  /** What is shown instead of a value that has nothing in it; null if it has. */
  readonly whenEmpty: (value: T) => ReactNode | null;
  /** What stays above the content in every state. */
  readonly tools?: ReactNode;
  readonly children: (value: T) => ReactNode;
}

/** A resource in each of its states. */
export function Shown<T>(props: IShownProps<T>): JSX.Element {
  const { resource, trans } = props;
  const state = useResource(resource);
  const value = state.kind === 'error' ? undefined : state.value;
  return (
    <div className="jp-Workbench-shown" aria-busy={state.kind === 'loading'}>
      {props.tools}
      {state.kind === 'error' ? (
        <Failure error={state.error} retry={() => resource.load()} trans={trans} />
      ) : value === undefined ? (
        <Loading trans={trans} />
      ) : (
        (props.whenEmpty(value) ?? props.children(value))
      )}
    </div>
  );
}

/** Holds the place of a list that is on its way. */
export function Loading(props: { readonly trans: TranslationBundle }): JSX.Element {
  return (
    <div className="jp-Workbench-loading" role="status">
      <span className="jp-Workbench-unseen">{props.trans.__('Loading…')}</span>
      <span className="jp-Workbench-bone" />
      <span className="jp-Workbench-bone" />
    </div>
  );
}

/** Says that there is nothing, and how there comes to be something. */
export function Empty(props: { readonly children: ReactNode }): JSX.Element {
  return <p className="jp-Workbench-empty">{props.children}</p>;
}

/** Says what went wrong in the server's words, and lets the user try again. */
export function Failure(props: {
  readonly error: ApiError;
  readonly retry: () => unknown;
  readonly trans: TranslationBundle;
}): JSX.Element {
  const { error, retry, trans } = props;
  const message = error.isNotInstalled
    ? trans.__(
        'The Jupyter server has no Workbench: type `jupyter server extension enable workbench.server` in a terminal and start the server again.'
      )
    : error.status === 0
      ? trans.__('The Jupyter server does not answer: %1', error.message)
      : error.message;
  return (
    <div className="jp-Workbench-failure" role="alert">
      <p>{message}</p>
      <button className="jp-Workbench-button" onClick={retry}>
        {trans.__('Try again')}
      </button>
    </div>
  );
}

/** The first of many, and a button for the others. */
export function Limited<T>(props: {
  readonly items: readonly T[];
  readonly limit: number;
  readonly trans: TranslationBundle;
  readonly children: (item: T) => ReactNode;
}): JSX.Element {
  const { items, limit, trans } = props;
  const [isWhole, setWhole] = useState(false);
  const hidden = isWhole ? 0 : Math.max(0, items.length - limit);
  return (
    <>
      <ul className="jp-Workbench-list">
        {items.slice(0, items.length - hidden).map(props.children)}
      </ul>
      {hidden > 0 && (
        <button className="jp-Workbench-link" onClick={() => setWhole(true)}>
          {trans._n('Show one more', 'Show %1 more', hidden, hidden)}
        </button>
      )}
    </>
  );
}

/** Numbers with their names. */
export function MetricRow(props: {
  readonly metrics: Metrics;
  readonly limit?: number;
}): JSX.Element | null {
  const entries = Object.entries(props.metrics).slice(0, props.limit);
  if (!entries.length) {
    return null;
  }
  return (
    <dl className="jp-Workbench-metrics">
      {entries.map(([name, value]) => (
        <div key={name} title={`${name} = ${value}`}>
          <dt>{name}</dt>
          <dd>{round(value)}</dd>
        </div>
      ))}
    </dl>
  );
}

/** How long ago something was; the title says when. */
export function Ago(props: { readonly time: string }): JSX.Element {
  return (
    <time
      className="jp-Workbench-time"
      dateTime={props.time}
      title={moment(props.time)}
    >
      {ago(props.time)}
    </time>
  );
}
