package tea.house;

import java.util.List;
import static tea.Water.boil;

/** A pot. */
@Deprecated
public class Pot extends Vessel implements Heated, Comparable<Pot> {
    public static final int LIMIT = 3;
    private List<Leaf> leaves;

    public Pot(int size) {
        super(size);
    }

    @Override
    public Cup pour(Cup cup) throws Spill {
        boil(cup);
        return new Cup(cup.fill(LIMIT));
    }

    enum Size {
        SMALL,
        LARGE
    }
}

interface Heated {
    void heat(int degrees);
}

record Cup(int size) {
}

@interface Warm {
    int value();
}
