/**
 * What the sections are made of.
 */
import { TranslationBundle } from '@jupyterlab/translation';
import { caretRightIcon } from '@jupyterlab/ui-components';
import React, { ReactNode, useId, useState } from 'react';

import { ApiError, Metrics } from '../api';
import { Resource, useResource } from '../resource';
import { ago, moment, round } from './format';

export interface ISectionProps<T> {
  readonly title: string;
  readonly resource: Resource<T>;
  readonly trans: TranslationBundle;
  /** What stands beside the title. */
  readonly badge: (value: T) => ReactNode;
  /** What is shown instead of a value that has nothing in it; null if it has. */
  readonly whenEmpty: (value: T) => ReactNode | null;
  /** What stays above the content in every state. */
  readonly tools?: ReactNode;
  readonly children: (value: T) => ReactNode;
}

/** A collapsible section that shows a resource in each of its states. */
export function Section<T>(props: ISectionProps<T>): JSX.Element {
  const { title, resource, trans, badge } = props;
  const state = useResource(resource);
  const titleId = useId();
  const value = state.kind === 'error' ? undefined : state.value;
  return (
    <section
      className="jp-Workbench-section"
      aria-labelledby={titleId}
      aria-busy={state.kind === 'loading'}
    >
      <details open>
        <summary className="jp-Workbench-sectionHeader">
          <caretRightIcon.react tag="span" className="jp-Workbench-caret" />
          <h3 id={titleId}>{title}</h3>
          {value !== undefined && (
            <span className="jp-Workbench-badge">{badge(value)}</span>
          )}
        </summary>
        <div className="jp-Workbench-sectionBody">
          {props.tools}
          {state.kind === 'error' ? (
            <Failure error={state.error} retry={() => resource.load()} trans={trans} />
          ) : value === undefined ? (
            <Loading trans={trans} />
          ) : (
            (props.whenEmpty(value) ?? props.children(value))
          )}
        </div>
      </details>
    </section>
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
