/**
 * All that is known of the thing that is open: its columns, and the chain around it.
 */
import { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { ICatalogueDetail, ICatalogueRow } from '../../api/types';
import { Part } from '../../ui/item';
import { Ago, Limited, Shown } from '../../ui/parts';
import { IUserActions, partition, UsedBy } from '../features/users';
import { CatalogueSearch, keyOf } from './search';

const COLUMNS = 20;
const NODES = 6;

/** What can be done with a thing. */
export interface IThingActions extends IUserActions {
  readonly insert: (code: string) => void;
  readonly openReport: (source: string) => void;
  readonly showLineage: (node: string) => void;
}

export function Detail(
  props: IThingActions & {
    readonly thing: ICatalogueRow;
    readonly search: CatalogueSearch;
    readonly trans: TranslationBundle;
  }
): JSX.Element {
  const { thing, search, trans } = props;
  return (
    <div className="jp-Workbench-detail">
      <Shown resource={search.detail} trans={trans} whenEmpty={() => null}>
        {detail =>
          keyOf(detail.entry) === keyOf(thing) ? (
            <>
              <Broken detail={detail} trans={trans} />
              <dl className="jp-Workbench-declared">
                <Fact name={trans.__('Address')} value={detail.entry.address} isCode />
                <Fact name={trans.__('Owner')} value={detail.entry.owner} />
                <Fact name={trans.__('Tags')} value={detail.entry.tags.join(', ')} />
                <Fact name={trans.__('Code')} value={thing.code} isCode />
              </dl>
              <Columns entry={detail.entry} trans={trans} />
              <UsedBy {...props} users={detail.entry.used_by} />
              <Chain
                {...props}
                title={trans.__('Came from')}
                nodes={detail.upstream.map(edge => edge.source)}
              />
              <Chain
                {...props}
                title={trans.__('Led to')}
                nodes={detail.downstream.map(edge => edge.target)}
              />
            </>
          ) : null
        }
      </Shown>
    </div>
  );
}

function Broken(props: {
  readonly detail: ICatalogueDetail;
  readonly trans: TranslationBundle;
}): JSX.Element | null {
  const { broken, checked_at } = props.detail;
  const { trans } = props;
  if (!broken.length) {
    return checked_at === null ? null : (
      <p className="jp-Workbench-muted">
        {trans.__('Its contract was kept')} <Ago time={checked_at} />
      </p>
    );
  }
  return (
    <div className="jp-Workbench-brokenRules">
      <Part title={trans.__('Broken rules of its contract')}>
        <Limited items={broken} limit={NODES} trans={trans}>
          {rule => <li key={rule}>{rule}</li>}
        </Limited>
      </Part>
    </div>
  );
}

function Fact(props: {
  readonly name: string;
  readonly value: string;
  readonly isCode?: boolean;
}): JSX.Element | null {
  const { name, value, isCode } = props;
  return value ? (
    <div>
      <dt>{name}</dt>
      <dd>{isCode ? <code>{value}</code> : value}</dd>
    </div>
  ) : null;
}

function Columns(props: {
  readonly entry: ICatalogueDetail['entry'];
  readonly trans: TranslationBundle;
}): JSX.Element | null {
  const { entry, trans } = props;
  return entry.columns.length ? (
    <Part title={entry.kind === 'function' ? trans.__('Takes') : trans.__('Columns')}>
      <div className="jp-Workbench-dataColumns">
        <Limited items={entry.columns} limit={COLUMNS} trans={trans}>
          {name => (
            <li key={name} title={name}>
              {name}
            </li>
          )}
        </Limited>
      </div>
    </Part>
  ) : null;
}

/** Nodes of the lineage, each once in whichever state, and each leading to its picture. */
function Chain(props: {
  readonly title: string;
  readonly nodes: readonly string[];
  readonly showLineage: (node: string) => void;
  readonly trans: TranslationBundle;
}): JSX.Element | null {
  const { title, nodes, showLineage, trans } = props;
  const items = inNewestState(nodes);
  return items.length ? (
    <Part title={title}>
      <Limited items={items} limit={NODES} trans={trans}>
        {([shown, node]) => {
          const [kind, name] = partition(shown);
          return (
            <li key={node} className="jp-Workbench-user">
              <button
                className="jp-Workbench-link"
                title={trans.__('Show the lineage of %1', node)}
                onClick={() => showLineage(node)}
              >
                <span className="jp-Workbench-muted">{kind}</span> {name}
              </button>
            </li>
          );
        }}
      </Limited>
    </Part>
  ) : null;
}

/** Leave out the older states of nodes; return each as it is shown, and its name. */
function inNewestState(
  nodes: readonly string[]
): readonly (readonly [string, string])[] {
  const found = new Map<string, string>();
  for (const node of nodes) {
    const shown = stateless(node);
    if (!found.has(shown)) {
      found.set(shown, node);
    }
  }
  return [...found];
}

/** Name a node without the digest of its state; a run by the beginning of its id. */
function stateless(node: string): string {
  const [kind, name] = partition(node.replace(/@[^@]*$/, ''));
  return `${kind}:${kind === 'run' ? name.slice(0, 8) : name}`;
}
