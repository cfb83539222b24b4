/**
 * The branches by their best run on the same data.
 */
import { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { api, ask } from '../../../api/client';
import { Resource, useResource } from '../../../api/resource';
import { ILeaderboard, IScores } from '../../../api/types';
import { IContext } from '../../../plugin';
import { round } from '../../../ui/format';
import { Empty, Failure, Shown } from '../../../ui/parts';
import { showView } from './view';

export function showLeaderboard(context: IContext, asked = ''): void {
  const { workbench, trans } = context;
  let metric = asked;
  const scores = new Resource(async signal => {
    const query = { path: workbench.path };
    const found = await ask(api.GET('/branches/scores', { params: { query }, signal }));
    metric ||= found.metric ?? '';
    await board.load();
    return found;
  });
  const board: Resource<ILeaderboard | null> = new Resource(async signal => {
    const query = { path: workbench.path, metric };
    return metric
      ? ask(api.GET('/branches/leaderboard', { params: { query }, signal }))
      : null;
  });
  const choose = (name: string): void => {
    metric = name;
    void board.load();
  };
  showView(context, {
    id: 'leaderboard',
    title: trans.__('Leaderboard'),
    topics: ['branch', 'runs'],
    resources: [scores],
    render: () => (
      <Shown
        resource={scores}
        trans={trans}
        whenEmpty={found => whenNoRuns(found, trans)}
      >
        {found => (
          <Board
            board={board}
            metrics={found.metrics}
            metric={() => metric}
            choose={choose}
            trans={trans}
          />
        )}
      </Shown>
    )
  });
}

function whenNoRuns(scores: IScores, trans: TranslationBundle): JSX.Element | null {
  return scores.metrics.length ? null : (
    <Empty>{trans.__('No run has logged a metric yet.')}</Empty>
  );
}

function Board(props: {
  readonly board: Resource<ILeaderboard | null>;
  readonly metrics: readonly string[];
  readonly metric: () => string;
  readonly choose: (metric: string) => void;
  readonly trans: TranslationBundle;
}): JSX.Element {
  const { board, metrics, metric, choose, trans } = props;
  const state = useResource(board);
  const found = state.kind === 'error' ? null : state.value;
  return (
    <>
      <header className="jp-Workbench-branchViewHead">
        <h2>{trans.__('Leaderboard')}</h2>
        <label>
          {trans.__('by')}{' '}
          <select value={metric()} onChange={event => choose(event.target.value)}>
            {metrics.map(name => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </label>
        {found && (
          <span className="jp-Workbench-muted" title={found.digest}>
            {found.lower_is_better
              ? trans.__('lower is better')
              : trans.__('higher is better')}
            {' · '}
            {trans.__('on %1', `${found.dataset}@${found.digest.slice(0, 12)}`)}
          </span>
        )}
      </header>
      {state.kind === 'error' && (
        <Failure error={state.error} retry={() => board.load()} trans={trans} />
      )}
      {found && <Places board={found} trans={trans} />}
    </>
  );
}

function Places(props: {
  readonly board: ILeaderboard;
  readonly trans: TranslationBundle;
}): JSX.Element {
  const { board, trans } = props;
  return (
    <>
      <table className="jp-Workbench-branchTable">
        <thead>
          <tr>
            <th scope="col">{trans.__('Place')}</th>
            <th scope="col">{trans.__('Branch')}</th>
            <th scope="col" className="jp-mod-number">
              {board.metric}
            </th>
            <th scope="col">{trans.__('Best run')}</th>
            <th scope="col" className="jp-mod-number">
              {trans.__('Runs')}
            </th>
          </tr>
        </thead>
        <tbody>
          {board.entries.map((entry, index) => (
            <tr key={entry.branch} data-first={index === 0}>
              <td>{index + 1}</td>
              <th scope="row">{entry.branch}</th>
              <td className="jp-mod-number" title={String(entry.value)}>
                {round(entry.value)}
              </td>
              <td title={entry.run_id}>{entry.name}</td>
              <td className="jp-mod-number">{entry.runs}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {board.others.length > 0 && (
        <p className="jp-Workbench-muted">
          {trans.__('No finished run on these data: %1', board.others.join(', '))}
        </p>
      )}
    </>
  );
}
