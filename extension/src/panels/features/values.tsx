/**
 * What the values of a feature were, as they were stored.
 */
import { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { IFeatureProfile } from '../../api/types';
import { moment, round } from '../../ui/format';
import { Part } from '../../ui/item';
import { Bars, isNumber, percent, Shares, Sparkline } from './drawing';

interface IProfileProps {
  readonly profile: IFeatureProfile;
  readonly trans: TranslationBundle;
}

export function Values({ profile, trans }: IProfileProps): JSX.Element {
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

export function Distribution({ profile, trans }: IProfileProps): JSX.Element | null {
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
