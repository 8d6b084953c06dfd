import React from "react";
import { Cup } from "./cup";

interface Props {
  size: number;
}

export const View = ({ size }: Props) => <Cup size={fill(size)} />;

export function Shelf(props: Props) {
  return (
    <div>
      <View.Large size={1}>{label()}</View.Large>
    </div>
  );
}

export const Memo = React.memo(function Inner() {
  return null;
});

class Old extends React.Component<Props> {
  state = {};

  render() {
    return <Shelf size={2} />;
  }
}

export const { usePot, useCup: useMug } = tea;
export const [Provider, useTea] = makeContext<Tea>();

function Form() {
  const [isHot, setHot] = useState(false);
  const pour = useCallback(async () => {
    setHot(true);
  }, []);
  return <Shelf onPour={pour} />;
}
