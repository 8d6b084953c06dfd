import Foundation
import Tea.House

let limit = 3
typealias Leaves = [Leaf]

@MainActor
public class Pot: Vessel, Heated {
    static let most = 10
    var leaf: Leaf

    init(leaf: Leaf) {
        self.leaf = leaf
    }

    deinit {
        drain()
    }

    func pour(_ cup: Cup) -> Cup {
        boil(cup)
        return Cup(cup.fill(limit))
    }

    subscript(index: Int) -> Leaf {
        leaf
    }
}

protocol Heated {
    associatedtype Heat
    var degrees: Int { get }
    func heat(to degrees: Int)
}

struct Cup {
    let size: Int
}

enum Size {
    case small
    case large, huge
}

extension Pot: Warm {
    func warm() {}
}

actor Kitchen {
    func open() {}
}

func steep<T: Brewed>(_ leaf: T) -> Tea {
    brew(leaf)
}
