/**
 * All that is known of the feature that is open.
 */
import { TranslationBundle } from '@jupyterlab/translation';
import { checkIcon, circleEmptyIcon, closeIcon } from '@jupyterlab/ui-components';
import React from 'react';

import { IFeature, IFeatureProfile } from '../../api/types';
import { Part } from '../../ui/item';
import { Ago, Shown } from '../../ui/parts';
import { FeatureSearch } from './search';
import { IUserActions, UsedBy } from './users';
import { Distribution, Values } from './values';

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
