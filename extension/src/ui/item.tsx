/**
 * What one thing of a list is made of.
 */
import { LabIcon } from '@jupyterlab/ui-components';
import React, { ReactNode } from 'react';

/** A button that is a sign where there is little room, and a sign with a word where there is more. */
export function BriefButton(props: {
  readonly icon: LabIcon;
  readonly word: string;
  /** What it does to which thing, for those who hear it. */
  readonly label: string;
  readonly title: string;
  readonly onClick: () => void;
}): JSX.Element {
  const { icon: Icon, word, label, title, onClick } = props;
  return (
    <button
      className="jp-Workbench-button jp-Workbench-brief"
      aria-label={label}
      title={title}
      onClick={onClick}
    >
      <Icon.react tag="span" className="jp-Workbench-icon" />
      <span className="jp-Workbench-briefWord">{word}</span>
    </button>
  );
}

/** Something that is told of the thing that is open. */
export function Part(props: {
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
