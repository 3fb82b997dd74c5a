import { Component, type ComponentChildren } from 'preact'
import { Notice } from './notice.tsx'

interface BoundaryProps {
  children: ComponentChildren
}

/**
 * An approval that this page fails to show has no buttons: closed, because what cannot be shown
 * cannot be approved.
 */
export class Boundary extends Component<BoundaryProps, { failed: boolean }> {
  static override getDerivedStateFromError(): { failed: boolean } {
    return { failed: true }
  }

  override render({ children }: BoundaryProps) {
    if (!this.state.failed) return children
    return (
      <Notice tone="alarm" title="This approval cannot be shown here">
        <p>
          So it cannot be approved here either. <code>sallyport approvals show</code> prints it as
          it is.
        </p>
      </Notice>
    )
  }
}
