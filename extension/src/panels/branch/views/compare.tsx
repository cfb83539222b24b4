/**
 * Two branches beside each other: their newest runs, data, notebooks, features and other files.
 */
import { TranslationBundle } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import React, { ReactNode } from 'react';

import { api, ask } from '../../../api/client';
import { Resource, useResource } from '../../../api/resource';
import { IBranchComparison } from '../../../api/types';
import { IContext } from '../../../plugin';
import { Empty, Failure, Loading, Shown } from '../../../ui/parts';
import { CommandIDs } from '../commands';
import { Cells } from './cells';
import { Beside, rowsOf } from './tables';
import { showView } from './view';

interface IPair {
  readonly a: string;
  readonly b: string;
}

/** Compare two branches; the current one with another if they aren't named. */
export function showComparison(context: IContext, a = '', b = ''): void {
  const { workbench, commands, trans } = context;
  let pair: IPair = { a, b };
  const names = new Resource(async signal => {
    const query = { path: workbench.path };
    const { branches } = await ask(api.GET('/branches', { params: { query }, signal }));
    const found = branches.map(branch => branch.name);
    const here = branches.find(branch => branch.current)?.name ?? found[0] ?? '';
    const first = found.includes(pair.a) ? pair.a : here;
    const isOther = pair.b !== first && found.includes(pair.b);
    const second = isOther ? pair.b : (found.find(name => name !== first) ?? first);
    pair = { a: first, b: second };
    void comparison.load();
    return found;
  });
  const comparison: Resource<IBranchComparison | null> = new Resource(async signal => {
    const query = { path: workbench.path, ...pair };
    return pair.a && pair.b
      ? ask(api.GET('/branches/compare', { params: { query }, signal }))
      : null;
  });
  const choose = (part: Partial<IPair>): void => {
    pair = { ...pair, ...part };
    void comparison.load();
  };
  showView(context, {
    id: `compare:${a}:${b}`,
    title: a && b ? `${a} ↔ ${b}` : trans.__('Compare branches'),
    caption: trans.__('Compare branches'),
    topics: ['branch'],
    resources: [names],
    render: () => (
      <Shown
        resource={names}
        trans={trans}
        whenEmpty={found =>
          found.length < 2 ? (
            <Empty>{trans.__('There is one branch only: start another.')}</Empty>
          ) : null
        }
      >
        {found => (
          <Pair
            names={found}
            pair={() => pair}
            choose={choose}
            comparison={comparison}
            commands={commands}
            trans={trans}
          />
        )}
      </Shown>
    )
  });
}

function Pair(props: {
  readonly names: readonly string[];
  readonly pair: () => IPair;
  readonly choose: (part: Partial<IPair>) => void;
  readonly comparison: Resource<IBranchComparison | null>;
  readonly commands: CommandRegistry;
  readonly trans: TranslationBundle;
}): JSX.Element {
  const { names, pair, choose, comparison, commands, trans } = props;
  const state = useResource(comparison);
  const found = state.kind === 'error' ? undefined : state.value;
  const labels = { a: trans.__('One branch'), b: trans.__('The other branch') };
  const select = (side: 'a' | 'b'): JSX.Element => (
    <select
      aria-label={labels[side]}
      value={pair()[side]}
      onChange={event => choose({ [side]: event.target.value })}
    >
      {names.map(name => (
        <option key={name} value={name}>
          {name}
        </option>
      ))}
    </select>
  );
  return (
    <div aria-busy={state.kind === 'loading'}>
      <header className="jp-Workbench-branchViewHead">
        <h2>{trans.__('Compare branches')}</h2>
        {select('a')} <span aria-hidden="true">↔</span> {select('b')}
      </header>
      {state.kind === 'error' ? (
        <Failure error={state.error} retry={() => comparison.load()} trans={trans} />
      ) : found ? (
        <Comparison found={found} commands={commands} trans={trans} />
      ) : (
        <Loading trans={trans} />
      )}
    </div>
  );
}

function Comparison(props: {
  readonly found: IBranchComparison;
  readonly commands: CommandRegistry;
  readonly trans: TranslationBundle;
}): JSX.Element {
  const { found, commands, trans } = props;
  const { a, b, notebooks, features, files } = found;
  const open = (file: string): void =>
    void commands.execute(CommandIDs.diff, { file, base: a, other: b });
  const [one, other] = [found.runs_a[0], found.runs_b[0]];
  const heads = [
    one ? `${a}: ${one.name}` : trans.__('%1: no run', a),
    other ? `${b}: ${other.name}` : trans.__('%1: no run', b)
  ] as const;
  const isSame = !notebooks.length && !features.length && !files.length;
  return (
    <>
      <Part title={trans.__('Metrics of the newest runs')}>
        <Beside
          rows={rowsOf(one?.metrics, other?.metrics)}
          heads={heads}
          whenNone={trans.__('Neither branch has a run with metrics.')}
          trans={trans}
        />
      </Part>
      <Part title={trans.__('Parameters of the newest runs')}>
        <Beside
          rows={rowsOf(one?.params, other?.params)}
          heads={heads}
          whenNone={trans.__('Neither branch has a run with parameters.')}
          trans={trans}
        />
      </Part>
      <Part title={trans.__('Data')}>
        <Beside
          rows={found.data.map(({ name, values }) => ({
            name,
            values: [values[0] ?? null, values[1] ?? null]
          }))}
          heads={[a, b]}
          whenNone={trans.__('No run has said which data it used.')}
          trans={trans}
        />
      </Part>
      <Part title={trans.__('Notebooks')}>
        {notebooks.map(({ path, diff }) => (
          <details key={path} className="jp-Workbench-comparedNotebook" open>
            <summary>
              <b>{path}</b>
            </summary>
            <button
              className="jp-Workbench-link"
              aria-label={trans.__('Show %1 side by side', path)}
              onClick={() => open(path)}
            >
              {trans.__('Side by side')}
            </button>
            {diff ? (
              <Cells diff={diff} trans={trans} />
            ) : (
              <p className="jp-Workbench-muted">
                {trans.__('Only one of the branches has it as a notebook.')}
              </p>
            )}
          </details>
        ))}
        {!notebooks.length && <Empty>{trans.__('The same in both.')}</Empty>}
      </Part>
      {!isSame && features.length > 0 && (
        <Part title={trans.__('Features')}>
          <Files paths={features} open={open} />
        </Part>
      )}
      {!isSame && files.length > 0 && (
        <Part title={trans.__('Other files')}>
          <Files paths={files} open={open} />
        </Part>
      )}
    </>
  );
}

function Part(props: {
  readonly title: string;
  readonly children: ReactNode;
}): JSX.Element {
  return (
    <section className="jp-Workbench-branchPart">
      <h3>{props.title}</h3>
      {props.children}
    </section>
  );
}

function Files(props: {
  readonly paths: readonly string[];
  readonly open: (path: string) => void;
}): JSX.Element {
  return (
    <ul>
      {props.paths.map(path => (
        <li key={path}>
          <button className="jp-Workbench-link" onClick={() => props.open(path)}>
            {path}
          </button>
        </li>
      ))}
    </ul>
  );
}
