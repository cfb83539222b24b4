/**
 * The other branches, each with what can be done with it.
 */
import { caretRightIcon } from '@jupyterlab/ui-components';
import React, { useId } from 'react';

import { useResource } from '../../api/resource';
import { IBranches, IBranchInfo } from '../../api/types';
import { Ago, Empty, Failure, Limited, Loading } from '../../ui/parts';
import { CommandIDs } from './commands';
import type { IBranchProps } from './panel';
import { distance, Score } from './score';

const SHOWN = 30;

interface IBranchesProps extends IBranchProps {
  /** The one that is checked out. */
  readonly here: string | null;
}

export function Branches(props: IBranchesProps): JSX.Element {
  const { branches, trans } = props;
  const state = useResource(branches);
  const heading = useId();
  const value = state.kind === 'error' ? undefined : state.value;
  return (
    <section aria-labelledby={heading} aria-busy={state.kind === 'loading'}>
      <div className="jp-Workbench-sectionHead">
        <h3 id={heading}>{trans.__('Other branches')}</h3>
      </div>
      {state.kind === 'error' ? (
        <Failure error={state.error} retry={() => branches.load()} trans={trans} />
      ) : value ? (
        <Every {...props} every={value} />
      ) : (
        <Loading trans={trans} />
      )}
    </section>
  );
}

interface IEveryProps extends IBranchesProps {
  readonly every: IBranches;
}

function Every(props: IEveryProps): JSX.Element {
  const { every, here, actions, trans } = props;
  const others = every.branches.filter(branch => branch.name !== here);
  return (
    <>
      {others.length ? (
        <Limited items={others} limit={SHOWN} trans={trans}>
          {branch => <Row key={branch.name} {...props} one={branch} />}
        </Limited>
      ) : (
        <Empty>{trans.__('There is no other: start one for an experiment.')}</Empty>
      )}
      {every.dropped.length > 0 && (
        <details className="jp-Workbench-droppedBranches">
          <summary>
            <caretRightIcon.react tag="span" className="jp-Workbench-icon" />
            {trans._n(
              'One dropped branch',
              '%1 dropped branches',
              every.dropped.length,
              every.dropped.length
            )}
          </summary>
          <ul>
            {every.dropped.map(({ name, commit, ref }) => (
              <li key={ref} className="jp-Workbench-line">
                <span className="jp-Workbench-name" title={name}>
                  {name}
                </span>
                <code>{commit.slice(0, 7)}</code>
                <button
                  className="jp-Workbench-link"
                  aria-label={trans.__('Restore %1', name)}
                  disabled={!actions.mayWrite}
                  onClick={() => void actions.restore(name)}
                >
                  {trans.__('Restore')}
                </button>
              </li>
            ))}
          </ul>
        </details>
      )}
    </>
  );
}

function Row(props: IEveryProps & { readonly one: IBranchInfo }): JSX.Element {
  const { one: branch, every, here, scores, actions, commands, trans } = props;
  const { name } = branch;
  const far = distance(branch, every.protected, trans);
  return (
    <li className="jp-Workbench-otherBranch">
      <details>
        <summary>
          <span className="jp-Workbench-line">
            <caretRightIcon.react tag="span" className="jp-Workbench-icon" />
            <span className="jp-Workbench-name" title={name}>
              {name}
            </span>
            <Ago time={branch.committed_at} />
          </span>
          <span className="jp-Workbench-muted jp-Workbench-branchScore">
            <Score name={name} scores={scores} trans={trans} />
          </span>
        </summary>
        <div className="jp-Workbench-otherBranchMore">
          <p title={branch.commit}>
            <code>{branch.commit.slice(0, 7)}</code> {branch.subject}
          </p>
          {far && <p className="jp-Workbench-muted">{far}</p>}
          {branch.has_kept_work && (
            <p className="jp-Workbench-muted">
              {trans.__('Uncommitted work is kept with it.')}
            </p>
          )}
          {branch.checked_out && (
            <p className="jp-Workbench-muted">
              {trans.__('Checked out in %1', branch.checked_out)}
            </p>
          )}
          <div className="jp-Workbench-branchButtons">
            <button
              className="jp-Workbench-button"
              disabled={!actions.mayWrite || !!branch.checked_out}
              aria-label={trans.__('Switch to %1', name)}
              onClick={() => void actions.switchTo(name)}
            >
              {trans.__('Switch')}
            </button>
            <button
              className="jp-Workbench-button"
              disabled={!here}
              aria-label={trans.__('Compare with %1', name)}
              onClick={() =>
                void commands.execute(CommandIDs.compare, { a: here ?? '', b: name })
              }
            >
              {trans.__('Compare')}
            </button>
            <button
              className="jp-Workbench-button"
              aria-label={trans.__('Merge %1', name)}
              onClick={() => void commands.execute(CommandIDs.merge, { name })}
            >
              {trans.__('Merge…')}
            </button>
            {name !== every.protected && (
              <button
                className="jp-Workbench-button"
                disabled={!actions.mayWrite || !!branch.checked_out}
                aria-label={trans.__('Drop %1', name)}
                onClick={() => void actions.drop(branch)}
              >
                {trans.__('Drop…')}
              </button>
            )}
          </div>
        </div>
      </details>
    </li>
  );
}
