/**
 * Named values of two sides beside each other, those that differ first.
 */
import { TranslationBundle } from '@jupyterlab/translation';
import React, { useState } from 'react';

import { Metric } from '../../../api/types';
import { round } from '../../../ui/format';
import { Empty } from '../../../ui/parts';

type Value = Metric | string | null;

export interface IRow {
  readonly name: string;
  readonly values: readonly [Value, Value];
}

/** Pair the values of two runs by their names; a run that isn't there has none. */
export function rowsOf(
  one: Readonly<Record<string, Metric | string>> | undefined,
  other: Readonly<Record<string, Metric | string>> | undefined
): IRow[] {
  const names = new Set([...Object.keys(one ?? {}), ...Object.keys(other ?? {})]);
  return [...names].sort().map(name => ({
    name,
    values: [one?.[name] ?? null, other?.[name] ?? null]
  }));
}

export function Beside(props: {
  readonly rows: readonly IRow[];
  readonly heads: readonly [string, string];
  readonly whenNone: string;
  readonly trans: TranslationBundle;
}): JSX.Element {
  const { rows, heads, whenNone, trans } = props;
  const [isWhole, setWhole] = useState(false);
  if (!rows.length) {
    return <Empty>{whenNone}</Empty>;
  }
  const differing = rows.filter(row => differs(row));
  const same = rows.filter(row => !differs(row));
  const isNumeric = rows.some(row =>
    row.values.some(value => typeof value === 'number')
  );
  return (
    <>
      {(differing.length > 0 || isWhole) && (
        <table className="jp-Workbench-branchTable">
          <thead>
            <tr>
              <th scope="col">{trans.__('Name')}</th>
              {heads.map(head => (
                <th key={head} scope="col" className="jp-mod-number">
                  {head}
                </th>
              ))}
              {isNumeric && (
                <th scope="col" className="jp-mod-number">
                  {trans.__('Difference')}
                </th>
              )}
            </tr>
          </thead>
          <tbody>
            {[...differing, ...(isWhole ? same : [])].map(row => (
              <tr key={row.name} data-differs={differs(row)}>
                <th scope="row">{row.name}</th>
                {row.values.map((value, side) => (
                  <td key={side} className="jp-mod-number" title={String(value ?? '')}>
                    {shown(value)}
                  </td>
                ))}
                {isNumeric && <td className="jp-mod-number">{change(row)}</td>}
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {same.length > 0 && (
        <button className="jp-Workbench-link" onClick={() => setWhole(!isWhole)}>
          {isWhole
            ? trans.__('Hide those that are the same')
            : trans._n(
                'One is the same: show it',
                '%1 are the same: show them',
                same.length,
                same.length
              )}
        </button>
      )}
    </>
  );
}

function differs(row: IRow): boolean {
  return row.values[0] !== row.values[1];
}

/** Digests are long and need no more than their beginning. */
function shown(value: Value): string {
  if (typeof value !== 'string') {
    return value === null ? '–' : round(value);
  }
  return /^[0-9a-f]{32,}$/.test(value) ? value.slice(0, 12) : value;
}

function change(row: IRow): string {
  const [one, other] = row.values;
  if (typeof one !== 'number' || typeof other !== 'number' || one === other) {
    return '';
  }
  const difference = other - one;
  return `${difference > 0 ? '+' : '−'}${round(Math.abs(difference))}`;
}
