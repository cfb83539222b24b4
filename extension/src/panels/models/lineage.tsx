/**
 * The chain around a node: its picture, and the nodes to go on from.
 */
import React, { useCallback, useState } from 'react';

import { api, ask } from '../../api/client';
import { IChain } from '../../api/types';
import { IContext } from '../../plugin';
import { Drawn, Shade } from '../../ui/page';

const DEPTHS = [1, 2, 3, 5, 10, 50];

interface IAsked {
  readonly node: string;
  readonly up: boolean;
  readonly down: boolean;
  readonly depth: number;
  readonly columns: boolean;
}

/** A picture of what something came from and what came of it, and how far it goes. */
export function LineagePage(props: {
  readonly context: IContext;
  readonly node: string;
}): JSX.Element {
  const { trans, workbench } = props.context;
  const [asked, setAsked] = useState<IAsked>({
    node: props.node,
    up: true,
    down: true,
    depth: 2,
    columns: false
  });
  const read = useCallback(
    (_: Shade, signal: AbortSignal) =>
      ask(
        api.GET('/lineage', {
          params: { query: { path: workbench.path, ...asked } },
          signal
        })
      ),
    [workbench, asked]
  );
  const change = (part: Partial<IAsked>): void => setAsked({ ...asked, ...part });
  return (
    <Drawn
      title={trans.__('Lineage of %1', asked.node)}
      read={read}
      trans={trans}
      tools={<Tools context={props.context} asked={asked} change={change} />}
      beside={chain => (
        <Nodes
          context={props.context}
          chain={chain}
          asked={asked.node}
          go={node => change({ node })}
        />
      )}
    />
  );
}

function Tools(props: {
  readonly context: IContext;
  readonly asked: IAsked;
  readonly change: (part: Partial<IAsked>) => void;
}): JSX.Element {
  const { asked, change } = props;
  const { trans } = props.context;
  const way = asked.up && asked.down ? 'both' : asked.up ? 'up' : 'down';
  return (
    <div className="jp-Workbench-pageTools">
      <strong title={asked.node}>{asked.node}</strong>
      <label>
        {trans.__('Show')}
        <select
          value={way}
          onChange={event => {
            const { value } = event.target;
            change({ up: value !== 'down', down: value !== 'up' });
          }}
        >
          <option value="both">{trans.__('both ways')}</option>
          <option value="up">{trans.__('what it came from')}</option>
          <option value="down">{trans.__('what came of it')}</option>
        </select>
      </label>
      <label>
        {trans.__('Depth')}
        <select
          value={asked.depth}
          onChange={event => change({ depth: Number(event.target.value) })}
        >
          {DEPTHS.map(depth => (
            <option key={depth} value={depth}>
              {depth}
            </option>
          ))}
        </select>
      </label>
      <label>
        <input
          type="checkbox"
          checked={asked.columns}
          onChange={event => change({ columns: event.target.checked })}
        />
        {trans.__('Columns')}
      </label>
    </div>
  );
}

/** The frame of the picture runs nothing, so its nodes are followed from this list. */
function Nodes(props: {
  readonly context: IContext;
  readonly chain: IChain;
  readonly asked: string;
  readonly go: (node: string) => void;
}): JSX.Element {
  const { chain, asked, go } = props;
  const { trans } = props.context;
  return (
    <nav className="jp-Workbench-nodes" aria-label={trans.__('Nodes')}>
      <h3>{trans._n('%1 node', '%1 nodes', chain.nodes.length, chain.nodes.length)}</h3>
      <ul>
        {chain.nodes.map(node => (
          <li key={node.name}>
            <button
              aria-current={node.name === asked}
              title={[
                node.name,
                ...Object.entries(node.facts).map(([name, fact]) => `${name}: ${fact}`)
              ].join('\n')}
              onClick={() => go(node.name)}
            >
              <span className="jp-Workbench-muted">{node.kind}</span> {node.label}
            </button>
          </li>
        ))}
      </ul>
      {chain.more > 0 && (
        <p className="jp-Workbench-muted">{trans.__('and %1 more', chain.more)}</p>
      )}
      {chain.cuts.map(cut => (
        <p key={`${cut.direction} ${cut.depth}`} className="jp-Workbench-muted">
          {cut.direction === 'up'
            ? trans._n(
                '%1 edge more goes up',
                '%1 edges more go up',
                cut.edges,
                cut.edges
              )
            : trans._n(
                '%1 edge more goes down',
                '%1 edges more go down',
                cut.edges,
                cut.edges
              )}
        </p>
      ))}
    </nav>
  );
}
