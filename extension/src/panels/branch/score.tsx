/**
 * How a branch stands: its distance to the protected one, and its best run.
 */
import { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { Resource, useResource } from '../../api/resource';
import { IBranchInfo, IScores } from '../../api/types';
import { round } from '../../ui/format';

/** Say how far a branch is from the protected one; nothing of that one itself. */
export function distance(
  branch: IBranchInfo,
  base: string,
  trans: TranslationBundle
): string | null {
  const { ahead, behind } = branch;
  if (branch.name === base || ahead === null || behind === null) {
    return null;
  }
  if (!ahead && !behind) {
    return trans.__('level with %1', base);
  }
  if (!behind) {
    return trans.__('%1 ahead of %2', ahead, base);
  }
  return ahead
    ? trans.__('%1 ahead of %2, %3 behind', ahead, base, behind)
    : trans.__('%1 behind %2', behind, base);
}

/** A branch's runs and its best metric, in a line. */
export function Score(props: {
  readonly name: string;
  readonly scores: Resource<IScores>;
  readonly trans: TranslationBundle;
}): JSX.Element | null {
  const { name, trans } = props;
  const state = useResource(props.scores);
  const scores = state.kind === 'error' ? undefined : state.value;
  if (!scores) {
    return state.kind === 'error' ? (
      <span title={state.error.message}>{trans.__('runs can’t be counted')}</span>
    ) : null;
  }
  const found = scores.branches.find(one => one.branch === name);
  if (!found) {
    return <>{trans.__('no runs')}</>;
  }
  return (
    <>
      {trans._n('one run', '%1 runs', found.runs, found.runs)}
      {found.best !== null && scores.metric !== null && (
        <span title={`${found.run_name}: ${scores.metric} = ${found.best}`}>
          {' · '}
          {trans.__('best %1', scores.metric)} <b>{round(found.best)}</b>
        </span>
      )}
    </>
  );
}
