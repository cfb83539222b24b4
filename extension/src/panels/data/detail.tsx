/**
 * All that is known of the thing that is open: its columns, and the chain around it.
 */
import { TranslationBundle } from '@jupyterlab/translation';
import React, { ReactNode } from 'react';

import { ICatalogueDetail, ICatalogueRow } from '../../api/types';
import { Ago, Limited, Shown } from '../../ui/parts';
import { CatalogueSearch, keyOf } from './search';

const COLUMNS = 20;
const NODES = 6;

export function Detail(props: {
  readonly thing: ICatalogueRow;
  readonly search: CatalogueSearch;
  readonly trans: TranslationBundle;
}): JSX.Element {
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
              <Names
                title={
                  thing.kind === 'function' ? trans.__('Takes') : trans.__('Columns')
                }
                names={detail.entry.columns}
                limit={COLUMNS}
                trans={trans}
              />
              <Names
                title={trans.__('Used by')}
                names={detail.entry.used_by}
                limit={NODES}
                trans={trans}
              />
              <Names
                title={trans.__('Came from')}
                names={different(detail.upstream.map(edge => edge.source))}
                limit={NODES}
                trans={trans}
              />
              <Names
                title={trans.__('Led to')}
                names={different(detail.downstream.map(edge => edge.target))}
                limit={NODES}
                trans={trans}
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
    <section className="jp-Workbench-brokenRules">
      <h4>{trans.__('Broken rules of its contract')}</h4>
      <Limited items={broken} limit={NODES} trans={trans}>
        {rule => <li key={rule}>{rule}</li>}
      </Limited>
    </section>
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

function Names(props: {
  readonly title: string;
  readonly names: readonly string[];
  readonly limit: number;
  readonly trans: TranslationBundle;
}): ReactNode {
  const { title, names, limit, trans } = props;
  return names.length ? (
    <section className="jp-Workbench-names">
      <h4>{title}</h4>
      <Limited items={names} limit={limit} trans={trans}>
        {name => (
          <li key={name} title={name}>
            {name}
          </li>
        )}
      </Limited>
    </section>
  ) : null;
}

function different(names: readonly string[]): readonly string[] {
  return [...new Set(names)];
}
