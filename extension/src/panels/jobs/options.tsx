import { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { Filling, IOptions, useFilled } from './filling';

/** What seldom matters, folded away: limits, retries, whether records are used again. */
export function Options(props: {
  readonly filling: Filling;
  readonly trans: TranslationBundle;
}): JSX.Element {
  const { filling, trans } = props;
  const { options } = useFilled(filling);
  const text = (key: keyof IOptions, label: string, unit = ''): JSX.Element => (
    <label key={key} className="jp-Workbench-jobOption">
      <span>{label}</span>
      <input
        type={key === 'label' ? 'text' : 'number'}
        min={key === 'priority' ? -1000 : key === 'retries' ? 0 : 1}
        step={key === 'label' ? undefined : 'any'}
        value={String(options[key])}
        placeholder={key === 'label' ? '' : unit}
        onChange={event => filling.choose({ [key]: event.target.value })}
      />
    </label>
  );
  const check = (key: 'cache' | 'track', label: string): JSX.Element => (
    <label key={key} className="jp-Workbench-jobCheck">
      <input
        type="checkbox"
        checked={options[key]}
        onChange={event => filling.choose({ [key]: event.target.checked })}
      />
      {label}
    </label>
  );
  return (
    <details className="jp-Workbench-jobOptions">
      <summary>{trans.__('Limits, retries and more')}</summary>
      <div className="jp-Workbench-jobOptionGrid">
        {text('label', trans.__('What it is for'))}
        {text('wall', trans.__('Seconds for the whole job'), trans.__('no limit'))}
        {text('cell', trans.__('Seconds for each cell'), trans.__('no limit'))}
        {text('memory', trans.__('Memory of its kernel, MB'), trans.__('no limit'))}
        {text(
          'threads',
          trans.__('Threads of numeric libraries'),
          trans.__('its share')
        )}
        {text(
          'retries',
          trans.__('Try again after a failure'),
          trans.__('if it was lost')
        )}
        {text('priority', trans.__('Priority: higher ones first'), '0')}
      </div>
      {check('cache', trans.__('If the same was done before, give that record'))}
      {check('track', trans.__('Give each job an MLflow run'))}
    </details>
  );
}
