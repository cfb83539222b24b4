import { TranslationBundle } from '@jupyterlab/translation';
import React, { ReactNode, useId } from 'react';

import { IFormField } from '../../api/types';
import { Filling, useFilled } from './filling';

interface IFieldProps {
  readonly field: IFormField;
  readonly filling: Filling;
  readonly trans: TranslationBundle;
}

/** One parameter: its value, or the list of values that a grid gives it. */
export function ParameterField(props: IFieldProps): JSX.Element {
  const { field, filling, trans } = props;
  const { parameter } = field;
  const { name, secret } = parameter;
  const { values, grid, checked } = useFilled(filling);
  const id = useId();
  const varies = name in grid;
  const problem = checked?.problems[name];
  const label = { id, problem, describedBy: `${id}-help ${id}-problem` };
  return (
    <div className="jp-Workbench-jobField" data-wrong={problem !== undefined}>
      <div className="jp-Workbench-jobFieldHead">
        <label htmlFor={id}>
          {name}
          {parameter.required && (
            <span
              className="jp-Workbench-jobRequired"
              title={trans.__('It has no default')}
            >
              *
            </span>
          )}
        </label>
        <code title={parameter.type}>{shownType(field)}</code>
        {!secret && (
          <button
            type="button"
            className="jp-Workbench-jobVary"
            aria-pressed={varies}
            aria-label={trans.__('Vary %1', name)}
            title={
              varies
                ? trans.__('One value for all jobs')
                : trans.__('Several values: a job for each')
            }
            onClick={() =>
              filling.vary(name, varies ? null : firstList(field, values[name]))
            }
          >
            {varies ? trans.__('varies') : trans.__('vary')}
          </button>
        )}
      </div>
      {varies ? (
        <GridInput {...props} {...label} />
      ) : (
        <ValueInput {...props} {...label} />
      )}
      <p className="jp-Workbench-jobFieldHelp" id={`${id}-help`}>
        {help(props, varies)}
      </p>
      <p className="jp-Workbench-jobFieldProblem" id={`${id}-problem`} role="alert">
        {problem}
      </p>
    </div>
  );
}

interface IInputProps extends IFieldProps {
  readonly id: string;
  readonly problem?: string;
  readonly describedBy: string;
}

function ValueInput(props: IInputProps): JSX.Element {
  const { field, filling, id, problem, describedBy, trans } = props;
  const { parameter, text, suggestions } = field;
  const { name } = parameter;
  const { values } = useFilled(filling);
  const value = values[name] ?? text;
  const common = {
    id,
    value,
    'aria-invalid': problem !== undefined,
    'aria-describedby': describedBy,
    'aria-required': parameter.required
  };
  const options = choices(field);
  if (options) {
    const isKnown = options.includes(value);
    return (
      <select {...common} onChange={event => filling.type(name, event.target.value)}>
        {!isKnown && <option value={value}>{value || trans.__('choose…')}</option>}
        {options.map(each => (
          <option key={each} value={each}>
            {each}
          </option>
        ))}
      </select>
    );
  }
  return (
    <>
      <input
        {...common}
        type={parameter.secret ? 'password' : 'text'}
        autoComplete="off"
        spellCheck={false}
        inputMode={isNumber(field) ? 'decimal' : undefined}
        value={parameter.secret ? (values[name] ?? '') : value}
        placeholder={parameter.secret ? 'secret://NAME' : undefined}
        list={suggestions.length ? `${id}-list` : undefined}
        onChange={event => filling.type(name, event.target.value)}
      />
      <Suggestions id={`${id}-list`} names={suggestions} />
    </>
  );
}

function GridInput(props: IInputProps): JSX.Element {
  const { field, filling, id, problem, describedBy, trans } = props;
  const { name } = field.parameter;
  const { grid } = useFilled(filling);
  const options = choices(field);
  const list = grid[name] ?? '';
  if (options) {
    const chosen = list.split(',').filter(each => each);
    const toggle = (each: string): void => {
      const next = options.filter(one =>
        one === each ? !chosen.includes(one) : chosen.includes(one)
      );
      filling.vary(name, next.join(','));
    };
    return (
      <div id={id} role="group" aria-label={name} className="jp-Workbench-jobChecks">
        {options.map(each => (
          <label key={each}>
            <input
              type="checkbox"
              checked={chosen.includes(each)}
              onChange={() => toggle(each)}
            />
            {each}
          </label>
        ))}
      </div>
    );
  }
  return (
    <input
      id={id}
      value={list}
      aria-invalid={problem !== undefined}
      aria-describedby={describedBy}
      autoComplete="off"
      spellCheck={false}
      placeholder={isNumber(field) ? '1,2,3' : trans.__('one,two,three')}
      onChange={event => filling.vary(name, event.target.value)}
    />
  );
}

function Suggestions(props: {
  readonly id: string;
  readonly names: readonly string[];
}): JSX.Element | null {
  const { id, names } = props;
  return names.length ? (
    <datalist id={id}>
      {names.map(name => (
        <option key={name} value={name} />
      ))}
    </datalist>
  ) : null;
}

function help({ field, trans }: IFieldProps, varies: boolean): ReactNode {
  const { description, minimum, maximum, secret, required } = field.parameter;
  const said = [
    description,
    minimum !== null && maximum !== null
      ? trans.__('%1 to %2', String(minimum), String(maximum))
      : minimum !== null
        ? trans.__('at least %1', String(minimum))
        : maximum !== null
          ? trans.__('at most %1', String(maximum))
          : '',
    secret ? trans.__('a secret: it is written down nowhere') : '',
    varies && !choices(field)
      ? trans.__('parted by commas; whole numbers also as 1..12')
      : '',
    !varies && !required && !secret && field.text
      ? trans.__('default %1', field.text)
      : ''
  ];
  return said.filter(each => each).join(' · ');
}

/** The texts of a closed set, as a command line has them; null where any value will do. */
function choices(field: IFormField): readonly string[] | null {
  const { parameter } = field;
  if (parameter.choices.length) {
    const texts = parameter.choices.map(each => python(each));
    return isOptional(parameter.type) ? [...texts, 'None'] : texts;
  }
  return parameter.type === 'bool' ? ['true', 'false'] : null;
}

function python(value: unknown): string {
  if (value === null) {
    return 'None';
  }
  if (typeof value === 'boolean') {
    return value ? 'True' : 'False';
  }
  return String(value);
}

function isOptional(type: string): boolean {
  return /\bNone\b|\bOptional\b/.test(type);
}

function isNumber(field: IFormField): boolean {
  return /^(Annotated\[)?(int|float|Decimal)\b/.test(field.parameter.type);
}

/** The type in a word: what stands inside of `Annotated[…]`. */
function shownType(field: IFormField): string {
  const { type, choices: few } = field.parameter;
  const inner = /^(?:\w+\.)*Annotated\[(.+?), (?:\w+\.)*(?:Range|Secret)\b/.exec(type);
  return few.length && /Literal/.test(type) ? 'choice' : (inner?.[1] ?? type);
}

/** What a grid begins with: all of a closed set, else the one value that was there. */
function firstList(field: IFormField, typed?: string): string {
  const text = field.parameter.default === null ? '' : field.text;
  return choices(field)?.join(',') ?? typed ?? text;
}
