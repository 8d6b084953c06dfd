#include <vector>
#include "pot.hpp"

#define LIMIT 3

namespace tea {

using Leaves = std::vector<Leaf>;

class Pot : public Vessel {
public:
    Pot(int size);
    ~Pot() = default;
    int size() const { return size_; }
    virtual Cup pour(Cup &cup) = 0;
    bool operator==(const Pot &other) const;

private:
    int size_;
};

struct Cup {
    int size = 0;
};

enum class Size {
    Small,
    Large,
};

template <typename T>
T steep(T leaf) {
    auto cup = Cup{};
    boil<T>(leaf);
    return brew::slowly(leaf.dry());
}

concept_free(int);

template <typename T>
concept Drinkable = requires(T t) { t.sip(); };

constexpr int most = 10;

}  // namespace tea

tea::Pot::Pot(int size) : size_(size) {}

Cup tea::Pot::pour(Cup &cup) {
    return *new Cup(cup);
}
