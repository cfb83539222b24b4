/**
 * What speaks for giving a version an alias, and what against it.
 */
import { TranslationBundle } from '@jupyterlab/translation';
import React, { useEffect, useMemo, useState } from 'react';

import { api, ask } from '../../api/client';
import { Resource } from '../../api/resource';
import { ICheck, IPromotion, Metrics } from '../../api/types';
import { IContext } from '../../plugin';
import { round } from '../../ui/format';
import { Shown } from '../../ui/parts';
import type { IVersionArgs } from './commands';

/** What the user wants, and whether that is possible. */
export interface IWish {
  readonly alias: string;
  readonly reason: string;
  readonly override: boolean;
  readonly isReady: boolean;
}

interface IProps {
  readonly context: IContext;
  readonly args: IVersionArgs;
  readonly onChange: (wish: IWish) => void;
}

const FIRST = 'champion';

/** The content of the dialog. */
export function Promotion(props: IProps): JSX.Element {
  const { context, args } = props;
  const { workbench, trans } = context;
  const { model: name, version } = args;
  const [alias, setAlias] = useState(FIRST);
  const found = useMemo(
    () =>
      new Resource(signal =>
        ask(
          api.GET('/models/{name}/versions/{version}/promotion', {
            params: { path: { name, version }, query: { path: workbench.path, alias } },
            signal
          })
        )
      ),
    [workbench, name, version, alias]
  );
  useEffect(() => {
    void found.load();
    return () => found.dispose();
  }, [found]);
  return (
    <Shown resource={found} trans={trans} whenEmpty={() => null}>
      {promotion => <Form {...props} promotion={promotion} setAlias={setAlias} />}
    </Shown>
  );
}

function Form(
  props: IProps & {
    readonly promotion: IPromotion;
    readonly setAlias: (alias: string) => void;
  }
): JSX.Element {
  const { context, promotion, setAlias, onChange } = props;
  const { trans } = context;
  const { alias, missing, refusal, override_refusal } = promotion;
  const [reason, setReason] = useState('');
  const [override, setOverride] = useState(false);
  const holds = promotion.holder?.version === promotion.version.version;
  const mayOverride = missing.length > 0 && !override_refusal;
  const isReady =
    !holds &&
    (override ? mayOverride && reason.trim() !== '' : !missing.length && !refusal);
  useEffect(
    () => onChange({ alias, reason: reason.trim(), override, isReady }),
    // What it tells is made anew each time; who is told stays the same.
    [alias, reason, override, isReady]
  );
  return (
    <div className="jp-Workbench-promotionForm">
      <label className="jp-Workbench-field">
        <span>{trans.__('Alias')}</span>
        <select value={alias} onChange={event => setAlias(event.target.value)}>
          {promotion.aliases.map(one => (
            <option key={one} value={one}>
              {one}
            </option>
          ))}
        </select>
      </label>
      <Verdict promotion={promotion} holds={holds} trans={trans} />
      {promotion.gate && <Checks promotion={promotion} trans={trans} />}
      <Beside promotion={promotion} trans={trans} />
      {mayOverride && !holds && (
        <label className="jp-Workbench-check">
          <input
            type="checkbox"
            checked={override}
            onChange={event => setOverride(event.target.checked)}
          />
          <span>
            {trans.__('Override the gate: it shows for ever, with the reason')}
          </span>
        </label>
      )}
      <label className="jp-Workbench-field">
        <span>
          {override
            ? trans.__('Reason (needed)')
            : trans.__('Reason: it stays in the record')}
        </span>
        <textarea
          rows={2}
          maxLength={5000}
          required={override}
          value={reason}
          onChange={event => setReason(event.target.value)}
        />
      </label>
    </div>
  );
}

function Verdict(props: {
  readonly promotion: IPromotion;
  readonly holds: boolean;
  readonly trans: TranslationBundle;
}): JSX.Element {
  const { promotion, holds, trans } = props;
  const { alias, version, missing, refusal } = promotion;
  if (holds) {
    return (
      <p className="jp-Workbench-verdictBox" data-outcome="none">
        {trans.__('– Version %1 is %2 already.', version.version, alias)}
      </p>
    );
  }
  const reasons = [...missing, ...(refusal ? [refusal] : [])];
  if (!reasons.length) {
    return (
      <p className="jp-Workbench-verdictBox" data-outcome="passed">
        {trans.__('✓ It passed its gate, and may become %1.', alias)}
      </p>
    );
  }
  return (
    <div className="jp-Workbench-verdictBox" data-outcome="failed" role="alert">
      <p>{trans.__('✕ It may not become %1:', alias)}</p>
      <ul>
        {reasons.map(one => (
          <li key={one}>{one}</li>
        ))}
      </ul>
    </div>
  );
}

function Checks(props: {
  readonly promotion: IPromotion;
  readonly trans: TranslationBundle;
}): JSX.Element {
  const { promotion, trans } = props;
  const gate = promotion.gate!;
  const failed = gate.checks.filter(one => one.outcome === 'failed').length;
  return (
    <details className="jp-Workbench-checks" open={failed > 0 || undefined}>
      <summary>
        {trans.__(
          'Gate on %1: %2 checks, %3 failed, %4 rows',
          gate.window,
          gate.checks.length,
          failed,
          gate.rows.toLocaleString()
        )}
      </summary>
      <table>
        <thead>
          <tr>
            <th scope="col">{trans.__('Outcome')}</th>
            <th scope="col">{trans.__('Check')}</th>
            <th scope="col">{trans.__('Found')}</th>
            <th scope="col">{trans.__('Expected')}</th>
          </tr>
        </thead>
        <tbody>
          {gate.checks.map(one => (
            <tr key={one.code} title={one.explanation}>
              <td className="jp-Workbench-outcome" data-outcome={one.outcome}>
                {outcome(one.outcome, trans)}
              </td>
              <th scope="row">{one.title}</th>
              <td>{one.found === null ? '–' : round(one.found)}</td>
              <td>{one.expected}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {promotion.approvals.map(one => (
        <p key={one.role} className="jp-Workbench-muted">
          {trans.__('%1 of %2 approvals by %3s', one.there, one.needed, one.role)}
        </p>
      ))}
      {promotion.said.map((one, at) => (
        <p key={at} className="jp-Workbench-muted">
          {one.outcome === 'approved'
            ? trans.__('✓ approved by %1 (%2)', one.decided_by, one.role)
            : trans.__('✕ refused by %1 (%2)', one.decided_by, one.role)}
          {one.comment && `: ${one.comment}`}
        </p>
      ))}
    </details>
  );
}

function outcome(found: ICheck['outcome'], trans: TranslationBundle): string {
  switch (found) {
    case 'passed':
      return trans.__('✓ passed');
    case 'failed':
      return trans.__('✕ failed');
    case 'skipped':
      return trans.__('– skipped');
    case 'not applicable':
      return trans.__('· not applicable');
  }
}

interface IColumn {
  readonly title: string;
  readonly metrics: Metrics;
}

/** The numbers by which the gate compared the version with the champion, side by side. */
function Beside(props: {
  readonly promotion: IPromotion;
  readonly trans: TranslationBundle;
}): JSX.Element | null {
  const { promotion, trans } = props;
  const { gate, version, holder } = promotion;
  if (!gate) {
    return null;
  }
  const hasNew =
    holder !== null &&
    ![gate.champion_version, version.version].includes(holder.version);
  const columns: readonly IColumn[] = [
    { title: trans.__('v%1', version.version), metrics: gate.metrics },
    {
      title: gate.champion_version
        ? trans.__('v%1, champion then', gate.champion_version)
        : trans.__('no champion then'),
      metrics: gate.champion ?? {}
    },
    ...(hasNew
      ? [
          {
            title: trans.__('v%1, %2 now*', holder.version, promotion.alias),
            metrics: holder.metrics
          }
        ]
      : []),
    { title: trans.__('base rate'), metrics: gate.baseline }
  ];
  const names = Object.keys(gate.metrics).filter(
    name => gate.champion === null || name in gate.champion || name in gate.baseline
  );
  return (
    <div>
      <table className="jp-Workbench-beside">
        <caption>{trans.__('On the rows of its gate')}</caption>
        <thead>
          <tr>
            <th scope="col">{trans.__('Metric')}</th>
            {columns.map(one => (
              <th key={one.title} scope="col">
                {one.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {names.map(name => (
            <tr key={name}>
              <th scope="row">{name}</th>
              {columns.map(({ title, metrics }) => (
                <td key={title}>{name in metrics ? round(metrics[name]) : '–'}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {hasNew && (
        <p className="jp-Workbench-muted">
          {trans.__('* as its own run logged it, on other rows')}
        </p>
      )}
    </div>
  );
}
