/**
 * All that is known of the feature that is open.
 */
import { TranslationBundle } from '@jupyterlab/translation';
import {
  checkIcon,
  circleEmptyIcon,
  closeIcon,
  listIcon,
  notebookIcon
} from '@jupyterlab/ui-components';
import React, { ReactNode } from 'react';

import { IFeature, IFeatureProfile } from '../../api/types';
import { moment, round } from '../../ui/format';
import { Ago, Shown } from '../../ui/parts';
import { Bars, isNumber, percent, Shares, Sparkline } from './drawing';
import { FeatureSearch } from './search';

/** Where those lead who use a feature. */
export interface IUserActions {
  readonly openNotebook: (path: string) => void;
  readonly showModels: () => void;
}

interface IDetailProps extends IUserActions {
  readonly feature: IFeature;
  readonly search: FeatureSearch;
  readonly trans: TranslationBundle;
}

export function Detail(props: IDetailProps): JSX.Element {
  const { feature, search, trans } = props;
  return (
    <div className="jp-Workbench-detail">
      <Shown resource={search.profile} trans={trans} whenEmpty={() => null}>
        {profile =>
          profile.entry.name === feature.name ? (
            <>
              <Values profile={profile} trans={trans} />
              <Distribution profile={profile} trans={trans} />
              <Freshness freshness={profile.freshness} trans={trans} />
              <UsedBy {...props} users={profile.entry.used_by} />
              <Declared feature={profile.entry} trans={trans} />
            </>
          ) : null
        }
      </Shown>
    </div>
  );
}

interface IProfileProps {
  readonly profile: IFeatureProfile;
  readonly trans: TranslationBundle;
}

function Values({ profile, trans }: IProfileProps): JSX.Element {
  const { summary } = profile;
  if (!summary) {
    return (
      <Part title={trans.__('Values')}>
        <p className="jp-Workbench-muted">
          {profile.freshness
            ? trans.__('No statistics yet: they come with its first training frame.')
            : trans.__('It is computed of each request, so nothing is stored of it.')}
        </p>
      </Part>
    );
  }
  const nulls = isNumber(summary.nulls) ? percent(summary.nulls, 1) : summary.nulls;
  const numbers = {
    [trans.__('rows')]: summary.rows.toLocaleString(),
    [trans.__('null')]: nulls,
    [trans.__('min')]: written(summary.min),
    [trans.__('mean')]: written(summary.mean),
    [trans.__('max')]: written(summary.max)
  };
  return (
    <Part title={trans.__('Values')}>
      <Sparkline
        points={summary.points}
        label={trans.__(
          'Values from %1 to %2',
          moment(summary.since),
          moment(summary.until)
        )}
      />
      <dl className="jp-Workbench-numbers">
        {Object.entries(numbers).map(
          ([name, value]) =>
            value !== null && (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            )
        )}
      </dl>
    </Part>
  );
}

function written(value: number | string | null): string | null {
  return typeof value === 'number' ? round(value) : value;
}

function Distribution({ profile, trans }: IProfileProps): JSX.Element | null {
  const { histogram, top, summary } = profile;
  if (top.length && top.length <= 10 && (!histogram || top.length <= 2)) {
    return (
      <Part title={trans.__('Most frequent')}>
        <Shares
          bars={top.map(one => ({ label: one.value, count: one.count }))}
          total={summary?.rows ?? 0}
          label={trans.__('The most frequent values')}
        />
      </Part>
    );
  }
  if (!histogram) {
    return null;
  }
  const { edges, counts, below, above } = histogram;
  const [from, to] = [edges[0], edges[edges.length - 1]];
  const bars = counts.map((count, index) => ({
    label: trans.__(
      '%1 to %2: %3',
      round(edges[index]),
      round(edges[index + 1]),
      count.toLocaleString()
    ),
    count
  }));
  return (
    <Part title={trans.__('Distribution')}>
      <Bars
        bars={bars}
        from={from}
        to={to}
        label={trans.__(
          'How often values lie between %1 and %2',
          round(from),
          round(to)
        )}
      />
      {below + above > 0 && (
        <p className="jp-Workbench-muted">
          {trans.__(
            '%1 lie below, %2 above',
            below.toLocaleString(),
            above.toLocaleString()
          )}
        </p>
      )}
    </Part>
  );
}

function Freshness(props: {
  readonly freshness: IFeatureProfile['freshness'];
  readonly trans: TranslationBundle;
}): JSX.Element | null {
  const { freshness, trans } = props;
  if (!freshness) {
    return null;
  }
  const { state, promise, newest, until } = freshness;
  const said = {
    kept: trans.__('fresh: at most %1 old, as promised', promise),
    late: trans.__('late: older than the promised %1', promise),
    never: trans.__('never brought to an online store'),
    'no promise': trans.__('online, with no promise of how fresh')
  }[state];
  const Icon =
    state === 'late' ? closeIcon : state === 'kept' ? checkIcon : circleEmptyIcon;
  const since = newest ?? until;
  return (
    <Part title={trans.__('Freshness')}>
      <div className="jp-Workbench-freshness" data-state={state}>
        <Icon.react tag="span" className="jp-Workbench-icon" />
        <span>{said}</span>
        {since && <Ago time={since} />}
      </div>
    </Part>
  );
}

function UsedBy(
  props: IUserActions & {
    readonly users: readonly string[];
    readonly trans: TranslationBundle;
  }
): JSX.Element {
  const { users, trans, openNotebook, showModels } = props;
  return (
    <Part title={trans.__('Used by')}>
      {users.length ? (
        <ul className="jp-Workbench-users">
          {users.map(user => {
            const [kind, name] = partition(user);
            const isNotebook = kind === 'notebook';
            const Icon = isNotebook ? notebookIcon : listIcon;
            return (
              <li key={user}>
                <button
                  className="jp-Workbench-link"
                  title={
                    isNotebook ? trans.__('Open %1', name) : trans.__('Show the models')
                  }
                  onClick={() => (isNotebook ? openNotebook(name) : showModels())}
                >
                  <Icon.react tag="span" className="jp-Workbench-icon" />
                  {name}
                </button>
              </li>
            );
          })}
        </ul>
      ) : (
        <p className="jp-Workbench-muted">{trans.__('No model or notebook yet.')}</p>
      )}
    </Part>
  );
}

function Declared(props: {
  readonly feature: IFeature;
  readonly trans: TranslationBundle;
}): JSX.Element {
  const { feature, trans } = props;
  const facts = {
    [trans.__('View')]: feature.view_description,
    [trans.__('Owner')]: feature.owner,
    [trans.__('Tags')]: feature.tags.join(', '),
    [trans.__('Valid for')]: feature.ttl,
    [trans.__('Column')]: <code>{feature.column}</code>,
    [trans.__('Formula')]: feature.formula && <code>{feature.formula}</code>
  };
  return (
    <dl className="jp-Workbench-declared">
      {Object.entries(facts).map(
        ([name, value]) =>
          value && (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          )
      )}
    </dl>
  );
}

function Part(props: {
  readonly title: string;
  readonly children: ReactNode;
}): JSX.Element {
  return (
    <section>
      <h4>{props.title}</h4>
      {props.children}
    </section>
  );
}

/** Split `model:late` into what it is and what it is called. */
function partition(user: string): readonly [string, string] {
  const at = user.indexOf(':');
  return [user.slice(0, at), user.slice(at + 1)];
}
