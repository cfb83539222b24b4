/**
 * What was decided of a model, and how its versions could be made again.
 */
import { TranslationBundle } from '@jupyterlab/translation';
import React, { ReactNode } from 'react';

import { useResource } from '../../api/resource';
import { IDecision, IReproduction } from '../../api/types';
import { List } from '../../ui/list';
import { Ago, Empty } from '../../ui/parts';
import type { IPartProps } from './panel';
import type { ModelsStore } from './store';

const HEIGHT = 56;

type Props = IPartProps & { readonly name: string; readonly tools: ReactNode };

/** Who moved which alias when and why, and whether the log is as it was written. */
export function Decisions(props: Props): JSX.Element {
  const { store, context, name, tools } = props;
  const { trans } = context;
  return (
    <List
      pages={store.decisions}
      trans={trans}
      label={trans.__('Decisions on %1', name)}
      keyOf={decision => `${decision.id}`}
      height={HEIGHT}
      tools={
        <>
          {tools}
          <Chain store={store} trans={trans} />
        </>
      }
      empty={<Empty>{trans.__('Nothing was decided yet.')}</Empty>}
    >
      {decision => <Decision decision={decision} trans={trans} />}
    </List>
  );
}

function Chain(props: {
  readonly store: ModelsStore;
  readonly trans: TranslationBundle;
}): JSX.Element | null {
  const { store, trans } = props;
  const state = useResource(store.verification);
  if (state.kind === 'error') {
    return <p className="jp-Workbench-chain">{state.error.message}</p>;
  }
  if (!state.value) {
    return null;
  }
  const { broken, decisions, head } = state.value;
  if (!broken.length) {
    return (
      <p className="jp-Workbench-chain" data-outcome="passed" title={head}>
        {trans._n(
          '✓ The chain of %1 decision is as it was written.',
          '✓ The chain of %1 decisions is as it was written.',
          decisions,
          decisions
        )}
      </p>
    );
  }
  return (
    <div className="jp-Workbench-chain" data-outcome="failed" role="alert">
      <p>{trans.__('✕ The chain of decisions is broken:')}</p>
      <ul>
        {broken.map(one => (
          <li key={one}>{one}</li>
        ))}
      </ul>
    </div>
  );
}

function Decision(props: {
  readonly decision: IDecision;
  readonly trans: TranslationBundle;
}): JSX.Element {
  const { decision, trans } = props;
  const { alias, version, previous } = decision;
  return (
    <div className="jp-Workbench-decision" data-outcome={decision.outcome}>
      <div className="jp-Workbench-line">
        <span className="jp-Workbench-name">{inWords(decision, trans)}</span>
        <Ago time={decision.decided_at} />
      </div>
      <div className="jp-Workbench-muted">
        {trans.__('%1 (%2)', decision.decided_by, decision.role)}
        {previous !== null &&
          previous !== version &&
          ' · ' + trans.__('%1 before: v%2', alias, previous)}
      </div>
      {decision.override && (
        <p className="jp-Workbench-override">{trans.__('! without its gate')}</p>
      )}
      {decision.reason && <p className="jp-Workbench-reason">{decision.reason}</p>}
      {decision.evidence && (
        <code title={decision.evidence}>
          {trans.__('evidence %1', decision.evidence.slice(0, 12))}
        </code>
      )}
    </div>
  );
}

function inWords(decision: IDecision, trans: TranslationBundle): string {
  const { alias, version } = decision;
  switch (decision.outcome) {
    case 'promoted':
      return trans.__('v%1 became %2', version, alias);
    case 'kept':
      return trans.__('v%1 did not become %2', version, alias);
    case 'rolled back':
      return trans.__('%1 went back to v%2', alias, version);
  }
}

/** What came of making versions again. */
export function Reproductions(props: Props): JSX.Element {
  const { store, context, name, tools } = props;
  const { trans } = context;
  return (
    <List
      pages={store.reproductions}
      trans={trans}
      label={trans.__('Reproductions of %1', name)}
      keyOf={one => `${one.id}`}
      height={HEIGHT}
      tools={tools}
      empty={
        <Empty>
          {trans.__(
            'No version was made again yet: choose “Reproduce” in the menu of a version.'
          )}
        </Empty>
      }
    >
      {one => <Reproduction one={one} trans={trans} />}
    </List>
  );
}

function Reproduction(props: {
  readonly one: IReproduction;
  readonly trans: TranslationBundle;
}): JSX.Element {
  const { one, trans } = props;
  const isSame = one.verdict !== 'different';
  return (
    <details className="jp-Workbench-reproduction">
      <summary>
        <span className="jp-Workbench-line">
          <span className="jp-Workbench-versionName">
            {trans.__('v%1', one.version)}
          </span>
          <span
            className="jp-Workbench-name jp-Workbench-verdict"
            data-outcome={isSame ? 'passed' : 'failed'}
          >
            {isSame ? '✓ ' : '✕ '}
            {verdict(one.verdict, trans)}
          </span>
          <Ago time={one.reproduced_at} />
        </span>
        <span className="jp-Workbench-muted">{one.reason}</span>
      </summary>
      <ul className="jp-Workbench-differences">
        {one.cause && (
          <li>{trans.__('First cause: %1', `${one.cause.kind}: ${one.cause.what}`)}</li>
        )}
        {one.differences.map(each => (
          <li key={each.what}>{`${each.kind}: ${each.what}`}</li>
        ))}
        {one.error && <li>{one.error}</li>}
        <li>{trans.__('Notebook %1', one.notebook)}</li>
        <li>{trans.__('By %1', one.reproduced_by)}</li>
        {one.notes.map(note => (
          <li key={note}>{note}</li>
        ))}
      </ul>
    </details>
  );
}

function verdict(found: IReproduction['verdict'], trans: TranslationBundle): string {
  switch (found) {
    case 'same bytes':
      return trans.__('same bytes');
    case 'same predictions':
      return trans.__('same predictions');
    case 'same metrics':
      return trans.__('same metrics');
    case 'different':
      return trans.__('different');
  }
}
