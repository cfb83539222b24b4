/**
 * Merging a branch: what would change, and each conflict with its sides, to be chosen.
 */
import { TranslationBundle } from '@jupyterlab/translation';
import React, { useState } from 'react';

import { api, ask } from '../../../api/client';
import { Resource } from '../../../api/resource';
import { Choice, IMergePlan } from '../../../api/types';
import { IContext } from '../../../plugin';
import { Empty, Limited, Shown } from '../../../ui/parts';
import { Actions } from '../actions';
import { Conflict } from './conflict';
import { showView } from './view';

const FILES = 10;

interface IPlanned {
  readonly plan: IMergePlan;
  /** The branch that is merged into. */
  readonly here: string;
}

export function showMerge(context: IContext, actions: Actions, name: string): void {
  const { workbench, trans } = context;
  const planned = new Resource<IPlanned>(async signal => {
    const query = { path: workbench.path };
    const [status, plan] = await Promise.all([
      ask(api.GET('/branch', { params: { query }, signal })),
      ask(api.GET('/branches/merge', { params: { query: { ...query, name } }, signal }))
    ]);
    return { plan, here: status.branch ?? trans.__('no branch (detached)') };
  });
  showView(context, {
    id: `merge:${name}`,
    title: trans.__('Merge %1', name),
    topics: ['branch'],
    resources: [planned],
    render: close => (
      <Shown resource={planned} trans={trans} whenEmpty={() => null}>
        {found => <Merge {...found} actions={actions} close={close} trans={trans} />}
      </Shown>
    )
  });
}

function Merge(
  props: IPlanned & {
    readonly actions: Actions;
    readonly close: () => void;
    readonly trans: TranslationBundle;
  }
): JSX.Element {
  const { plan, here, actions, close, trans } = props;
  const { name, conflicts, files } = plan;
  const [choices, setChoices] = useState<Readonly<Record<string, Choice>>>({});
  const [message, setMessage] = useState('');
  const [isBusy, setBusy] = useState(false);
  // The branches may have moved on since a choice was made.
  const made = Object.fromEntries(
    conflicts.flatMap(({ id }) => (id in choices ? [[id, choices[id]]] : []))
  );
  const left = conflicts.length - Object.keys(made).length;
  const merge = async (): Promise<void> => {
    setBusy(true);
    if (await actions.merge(name, made, message)) {
      close();
    } else {
      setBusy(false);
    }
  };
  const head = <h2>{trans.__('Merge %1 into %2', name, here)}</h2>;
  if (plan.standing === 'merged') {
    return (
      <>
        <header className="jp-Workbench-branchViewHead">{head}</header>
        <Empty>{trans.__('%1 has all of it already: nothing to merge.', here)}</Empty>
      </>
    );
  }
  return (
    <>
      <header className="jp-Workbench-branchViewHead">
        {head}
        <span className="jp-Workbench-muted">
          {trans._n('one file changes', '%1 files change', files.length, files.length)}
          {' · '}
          {conflicts.length
            ? trans._n(
                'one conflict',
                '%1 conflicts',
                conflicts.length,
                conflicts.length
              )
            : trans.__('no conflict')}
        </span>
      </header>
      <Limited items={files} limit={FILES} trans={trans}>
        {path => <li key={path}>{path}</li>}
      </Limited>
      {conflicts.map(conflict => (
        <Conflict
          key={conflict.id}
          conflict={conflict}
          sides={{ ours: here, theirs: name }}
          choice={choices[conflict.id] ?? null}
          choose={choice => setChoices({ ...choices, [conflict.id]: choice })}
          trans={trans}
        />
      ))}
      <footer className="jp-Workbench-mergeFoot">
        <input
          className="jp-Workbench-filter"
          aria-label={trans.__('Message of the merge')}
          placeholder={trans.__('Merge branch ‘%1’', name)}
          value={message}
          onChange={event => setMessage(event.target.value)}
        />
        <button
          className="jp-Workbench-button jp-mod-primary"
          disabled={left > 0 || isBusy || !actions.mayWrite}
          aria-busy={isBusy}
          onClick={() => void merge()}
        >
          {trans.__('Merge')}
        </button>
        <span className="jp-Workbench-muted" role="status">
          {left > 0 &&
            trans._n('one conflict is open', '%1 conflicts are open', left, left)}
        </span>
      </footer>
    </>
  );
}
