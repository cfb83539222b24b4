/**
 * All models, those in production first.
 */
import { TranslationBundle } from '@jupyterlab/translation';
import React, { useEffect, useState } from 'react';

import { IInProduction, IModel } from '../../api/types';
import { Light } from '../../ui/light';
import { List } from '../../ui/list';
import { Ago, Empty } from '../../ui/parts';
import type { IPartProps } from './panel';
import { IView, useView } from './store';
import { Evidence } from './version';

const HEIGHT = 88;
const TYPING = 200;

/** The list of models, with a filter. */
export function Home(props: IPartProps): JSX.Element {
  const { store, context } = props;
  const { trans } = context;
  const view = useView(store);
  const tools = <Tools {...props} view={view} />;
  const isFiltered = view.q !== '' || view.only === 'production';
  return (
    <List
      pages={store.models}
      trans={trans}
      label={trans.__('Models')}
      keyOf={model => model.name}
      height={HEIGHT}
      tools={tools}
      empty={
        <Empty>
          {isFiltered
            ? trans.__('No model matches.')
            : trans.__('No models yet. A model that a run registers appears here.')}
        </Empty>
      }
    >
      {model => (
        <ModelCard
          model={model}
          open={() => store.show({ model: model.name, tab: 'versions' })}
          trans={trans}
        />
      )}
    </List>
  );
}

function Tools(props: IPartProps & { readonly view: IView }): JSX.Element {
  const { store, view } = props;
  const { trans } = props.context;
  const [text, setText] = useState(view.q);
  useEffect(() => {
    if (text === view.q) {
      return;
    }
    const waiting = setTimeout(() => store.show({ q: text }), TYPING);
    return () => clearTimeout(waiting);
  }, [text, view.q, store]);
  const isProduction = view.only === 'production';
  return (
    <div className="jp-Workbench-modelTools">
      <input
        type="search"
        className="jp-Workbench-filter"
        aria-label={trans.__('Filter models')}
        placeholder={trans.__('Filter models')}
        value={text}
        onChange={event => setText(event.target.value)}
      />
      <button
        className="jp-Workbench-button jp-Workbench-toggle"
        aria-pressed={isProduction}
        title={trans.__('Only models that are in production')}
        onClick={() => store.show({ only: isProduction ? 'all' : 'production' })}
      >
        {trans.__('In production')}
      </button>
    </div>
  );
}

function ModelCard(props: {
  readonly model: IModel;
  readonly open: () => void;
  readonly trans: TranslationBundle;
}): JSX.Element {
  const { model, open, trans } = props;
  return (
    <article className="jp-Workbench-model">
      <div className="jp-Workbench-line jp-Workbench-modelHead">
        <button
          className="jp-Workbench-modelName"
          title={trans.__('Versions of %1', model.name)}
          onClick={open}
        >
          {model.name}
        </button>
        <Aliases aliases={model.aliases} trans={trans} />
        <span className="jp-Workbench-muted jp-Workbench-count">
          {trans._n('%1 version', '%1 versions', model.versions, model.versions)}
        </span>
      </div>
      {model.production.map(one => (
        <Production key={one.alias} one={one} trans={trans} />
      ))}
      {model.shown.map(version => (
        <div
          key={version.version}
          className="jp-Workbench-version"
          data-champion={version.aliases.includes('champion')}
        >
          <Evidence version={version} trans={trans} />
        </div>
      ))}
    </article>
  );
}

/** The aliases of a model, and the versions that have them. */
export function Aliases(props: {
  readonly aliases: IModel['aliases'];
  readonly trans: TranslationBundle;
}): JSX.Element {
  return (
    <span className="jp-Workbench-chips">
      {Object.entries(props.aliases).map(([alias, version]) => (
        <span key={alias} className="jp-Workbench-chip" data-alias={alias}>
          {props.trans.__('%1 v%2', alias, version)}
        </span>
      ))}
    </span>
  );
}

/** How something in production fares, since when, by whom, whose it is and what it cost. */
export function Production(props: {
  readonly one: IInProduction;
  readonly trans: TranslationBundle;
}): JSX.Element {
  const { one, trans } = props;
  const cost = costOf(one.cost, trans);
  return (
    <div className="jp-Workbench-production">
      <div className="jp-Workbench-facts">
        <Light tone={one.status ?? 'unwatched'} trans={trans} />
        {one.open_alerts > 0 && (
          <span className="jp-Workbench-strong">
            {trans._n(
              '%1 open alert',
              '%1 open alerts',
              one.open_alerts,
              one.open_alerts
            )}
          </span>
        )}
        {one.since && (
          <span>
            {trans.__('since')} <Ago time={one.since} />
          </span>
        )}
        {one.by && (
          <span className="jp-Workbench-cut" title={`${one.by}\n${one.reason}`}>
            {trans.__('by %1', one.by)}
          </span>
        )}
        {one.owner && <span>{trans.__('owner %1', one.owner)}</span>}
        {cost && <span title={trans.__('What its training cost')}>{cost}</span>}
      </div>
      {one.override && (
        <p className="jp-Workbench-override">
          {trans.__('! without its gate: %1', one.override)}
        </p>
      )}
    </div>
  );
}

/** The money, if there is a rate for it, else the processor's time. */
function costOf(cost: IInProduction['cost'], trans: TranslationBundle): string {
  const money = Object.keys(cost).find(key => !/_(seconds|bytes)$/.test(key));
  if (money) {
    return `${Number(cost[money]).toFixed(2)} ${money.replace('cost_', '')}`;
  }
  const seconds = cost['cost_cpu_seconds'] ?? cost['cost_wall_seconds'];
  return seconds === undefined
    ? ''
    : trans.__('%1 s of computing', Math.round(Number(seconds)));
}
