/**
 * The box in which runs are narrowed, in MLflow's language, and what it can go on with.
 */
import { TranslationBundle } from '@jupyterlab/translation';
import { Debouncer } from '@lumino/polling';
import React, {
  KeyboardEvent,
  useEffect,
  useId,
  useMemo,
  useRef,
  useState
} from 'react';

import { useResource } from '../../api/resource';
import { complete, ICompletion } from './language';
import { RunsModel, useView } from './model';

/** How long typing rests before the server is asked, in milliseconds. */
const TYPING_PAUSE = 400;

export function FilterBox(props: {
  readonly model: RunsModel;
  readonly trans: TranslationBundle;
}): JSX.Element {
  const { model, trans } = props;
  const { filter, problem } = useView(model);
  const box = useRef<HTMLInputElement>(null);
  const [text, setText] = useState(filter);
  const [caret, setCaret] = useState(0);
  const [isOpen, setOpen] = useState(false);
  const [active, setActive] = useState(-1);
  const id = useId();
  const options = useCompletions(model, text.slice(0, caret));
  const apply = useMemo(
    () => new Debouncer((said: string) => model.setFilter(said.trim()), TYPING_PAUSE),
    [model]
  );
  useEffect(() => () => apply.dispose(), [apply]);
  useEffect(() => {
    if (!filter) {
      setText(''); // another project
    }
  }, [filter]);
  const type = (typed: string, at: number): void => {
    setText(typed);
    setCaret(at);
    setActive(-1);
    void apply.invoke(typed).catch(() => undefined);
  };
  const accept = (option: ICompletion): void => {
    const head = `${text.slice(0, option.from)}${option.text} `;
    const typed = head + text.slice(caret).trimStart();
    type(typed, head.length);
    setOpen(true);
    requestAnimationFrame(() => {
      box.current?.focus();
      box.current?.setSelectionRange(head.length, head.length);
    });
  };
  const isShown = isOpen && options.length > 0;
  const onKeyDown = (event: KeyboardEvent): void => {
    const { key } = event;
    const step = key === 'ArrowDown' ? 1 : key === 'ArrowUp' ? -1 : 0;
    if (step || (key === ' ' && event.ctrlKey)) {
      event.preventDefault();
      setOpen(true);
      setActive(isShown && step ? turned(active + step, options.length) : active);
    } else if (isShown && active >= 0 && (key === 'Enter' || key === 'Tab')) {
      event.preventDefault();
      accept(options[active]);
    } else if (key === 'Enter') {
      setOpen(false);
      model.setFilter(text.trim());
    } else if (key === 'Escape' && isShown) {
      event.preventDefault(); // which would empty the box
      event.stopPropagation();
      setOpen(false);
    }
  };
  return (
    <div className="jp-Workbench-runsFilter">
      <input
        ref={box}
        type="search"
        role="combobox"
        className="jp-Workbench-filter"
        aria-label={trans.__('Filter runs')}
        aria-autocomplete="list"
        aria-expanded={isShown}
        aria-controls={`${id}list`}
        aria-activedescendant={isShown && active >= 0 ? `${id}${active}` : undefined}
        aria-invalid={problem !== ''}
        aria-describedby={problem ? `${id}problem` : undefined}
        placeholder={trans.__('Filter: metrics.roc_auc > 0.7')}
        spellCheck={false}
        autoComplete="off"
        value={text}
        onChange={event => {
          setOpen(event.target.value !== ''); // emptied by Escape, it stays closed
          type(event.target.value, event.target.selectionStart ?? 0);
        }}
        onSelect={event => setCaret(event.currentTarget.selectionStart ?? 0)}
        onFocus={() => void model.refreshFacets()}
        onClick={() => setOpen(true)}
        onBlur={() => setOpen(false)}
        onKeyDown={onKeyDown}
      />
      {isShown && (
        <Options id={id} box={box} options={options} active={active} accept={accept} />
      )}
      <p id={`${id}problem`} className="jp-Workbench-problem" role="status">
        {problem}
      </p>
    </div>
  );
}

function useCompletions(model: RunsModel, before: string): readonly ICompletion[] {
  const state = useResource(model.facets);
  const facets = state.kind === 'error' ? undefined : state.value;
  return useMemo(() => (facets ? complete(before, facets) : []), [before, facets]);
}

function turned(index: number, count: number): number {
  return (index + count) % count;
}

/** The list under the box: in the browser's top layer, for a panel is often lower than it. */
function Options(props: {
  readonly id: string;
  readonly box: React.RefObject<HTMLInputElement>;
  readonly options: readonly ICompletion[];
  readonly active: number;
  readonly accept: (option: ICompletion) => void;
}): JSX.Element {
  const { id, box, options, active, accept } = props;
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => {
    const { left, bottom, width } = box.current!.getBoundingClientRect();
    Object.assign(list.current!.style, {
      left: `${left}px`,
      top: `${bottom + 2}px`,
      minWidth: `${width}px`
    });
    list.current!.showPopover?.();
  }, [box]);
  useEffect(() => {
    list.current?.children[active]?.scrollIntoView({ block: 'nearest' });
  }, [active]);
  return (
    <ul
      ref={list}
      id={`${id}list`}
      role="listbox"
      className="jp-Workbench-completions"
      onMouseDown={event => event.preventDefault()} // the box keeps the focus
      {...{ popover: 'manual' }}
    >
      {options.map((option, index) => (
        <li
          key={option.text}
          id={`${id}${index}`}
          role="option"
          aria-selected={index === active}
          onClick={() => accept(option)}
        >
          <span>{option.text}</span>
          <span className="jp-Workbench-muted">{option.detail}</span>
        </li>
      ))}
    </ul>
  );
}
